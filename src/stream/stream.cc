#include "stream/stream.h"

#include <atomic>
#include <thread>
#include <utility>

#include "base/bounded_queue.h"
#include "base/mutex.h"
#include "stream/batch_writer.h"
#include "stream/log_follower.h"
#include "stream/rereader.h"

namespace penstock::stream {
namespace {

// The thread that writes batches: pops them until the queue is closed or a batch fails.
class WriterThread {
 public:
  WriterThread(const std::vector<StreamTable>& tables, const StreamOptions& options,
               BoundedQueue<Batch>& batches, StreamJournal* journal, std::stop_source reader_stop)
      : writer_(tables, options),
        rereader_(tables, options, writer_),
        options_(options),
        batches_(batches),
        journal_(journal),
        reader_stop_(std::move(reader_stop)),
        thread_([this] { Run(); }) {}

  bool idle() const { return idle_; }

  // Waits until the thread has ended: when the closed queue is drained or, after a stop, the batch
  // in flight is settled or its time is over.
  Status Finish(std::stop_token stop) {
    {
      MutexLock lock(mutex_);
      ended_.wait(mutex_, stop, [this]() REQUIRES(mutex_) { return done_; });
      if (!done_) {
        batches_.Clear();
        ended_.wait_for(mutex_, options_.settle_timeout,
                        [this]() REQUIRES(mutex_) { return done_; });
      }
    }
    stop_.request_stop();
    thread_.join();
    return std::move(status_);
  }

 private:
  void Run() {
    while (auto batch = batches_.Pop(stop_.get_token())) {
      idle_ = false;
      status_ = WriteBatch(*std::move(batch));
      if (!status_) break;
      idle_ = true;
    }
    reader_stop_.request_stop();
    MutexLock lock(mutex_);
    done_ = true;
    ended_.notify_all();
  }

  Status WriteBatch(Batch batch) {
    Acknowledged acknowledged{.end = batch.end,
                              .rows = batch.rows,
                              .bytes = batch.bytes,
                              .tables = {},
                              .started_at = options_.clock->Wall(),
                              .finished_at = {},
                              .last_commit = batch.last_commit};
    PENSTOCK_TRY(writer_.Write(batch, stop_.get_token()));
    for (TableRows& rows : batch.tables) rows.block = {};  // room for what is read again
    PENSTOCK_TRY(rereader_.Write(batch, stop_.get_token()));
    acknowledged.finished_at = options_.clock->Wall();
    for (const TableRows& rows : batch.tables) {
      acknowledged.tables.push_back({rows.table, rows.counts, rows.changes});
    }
    return journal_->Acknowledge(acknowledged);
  }

  BatchWriter writer_;
  Rereader rereader_;
  const StreamOptions& options_;
  BoundedQueue<Batch>& batches_;
  StreamJournal* journal_;
  std::stop_source reader_stop_;
  std::stop_source stop_;
  std::atomic<bool> idle_{true};
  Status status_;  // read after join
  Mutex mutex_;
  CondVar ended_;
  bool done_ GUARDED_BY(mutex_) = false;
  std::jthread thread_;  // last: starts when all else is there
};

}  // namespace

Status RunStream(const std::vector<StreamTable>& tables, const model::Position& start,
                 const StreamOptions& options, StreamJournal* journal, std::stop_token stop) {
  PENSTOCK_ASSIGN(auto assembler,
                  Assembler::Make(tables, start, [journal] { return journal->ReserveVersions(); }));

  std::stop_source reader_stop;
  std::stop_callback forward(stop, [&reader_stop] { reader_stop.request_stop(); });
  BoundedQueue<Batch> batches(1);
  WriterThread writer(tables, options, batches, journal, reader_stop);
  LogFollower follower(*assembler, options, batches, [&] {
    if (writer.idle()) journal->CaughtUp();
  });
  const Status read = follower.Run(reader_stop.get_token());
  batches.Close();
  const Status written = writer.Finish(stop);

  if (stop.stop_requested()) return Fail(ErrorCode::kCancelled, "stopped");
  return written ? read : written;
}

}  // namespace penstock::stream
