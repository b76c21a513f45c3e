#include "stream/stream.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "base/bounded_queue.h"
#include "base/mutex.h"
#include "clickhouse/errors.h"
#include "mysql/wire/errors.h"
#include "mysql/wire/start_position.h"
#include "obs/log.h"
#include "stream/batch_writer.h"
#include "stream/log_follower.h"
#include "stream/rereader.h"
#include "stream/source_watch.h"

namespace penstock::stream {
namespace {

bool ConcernsOneTable(const Error& error) {
  return mysql::ConcernsOneTable(error) || clickhouse::ConcernsOneTable(error);
}

// The thread that writes batches: pops them until the queue is closed or a batch fails.
class WriterThread {
 public:
  WriterThread(std::vector<StreamTable> tables, const StreamOptions& options,
               BoundedQueue<Batch>& batches, Brake& brake, StreamJournal* journal,
               std::stop_source reader_stop)
      : tables_(std::move(tables)),
        writer_(tables_, options, brake),
        rereader_(tables_, options, writer_),
        options_(options),
        batches_(batches),
        brake_(brake),
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
      CleanUpIfDue();
      idle_ = true;
    }
    reader_stop_.request_stop();
    MutexLock lock(mutex_);
    done_ = true;
    ended_.notify_all();
  }

  Status WriteBatch(Batch batch) {
    const UnixMicros started_at = options_.clock->Wall();
    std::erase_if(batch.tables,
                  [&](const TableRows& rows) { return fenced_.contains(rows.table); });
    std::erase_if(batch.fences, [&](const Fence& f) { return !fenced_.insert(f.table).second; });
    PENSTOCK_TRY(RecordSending(batch));
    PENSTOCK_ASSIGN(auto errors, writer_.Write(batch, stop_.get_token()));
    if (!batch.tables.empty()) brake_.Wrote();
    for (auto& [table, error] : errors) FenceTable(batch, table, std::move(error));
    PENSTOCK_TRY(Reread(batch));
    PENSTOCK_TRY(Truncate(batch));
    PENSTOCK_TRY(AddColumns(batch));
    for (const Fence& fence : batch.fences) options_.stop_load(fence.table);
    return Acknowledge(std::move(batch), started_at);
  }

  // Nothing is on its way now.
  void CleanUpIfDue() {
    const SteadyTime now = options_.clock->Steady();
    const bool due = options_.cleanup_interval.count() != 0 &&
                     now - cleaned_at_ >= options_.cleanup_interval && options_.loads_are_over();
    if (!due) return;
    for (size_t i = 0; i < tables_.size() && !stop_.stop_requested(); ++i) {
      if (!fenced_.contains(i) && !tables_[i].quarantined) writer_.CleanUp(i, stop_.get_token());
    }
    cleaned_at_ = options_.clock->Steady();
  }

  // What a table has reached with its rows of the batch: not what ends it, of which a replay must
  // hear again. What its load has of transactions that are yet to come, it still has.
  std::pair<model::Position, std::optional<model::TransactionPart>> Reached(const Batch& batch,
                                                                            size_t table) const {
    const auto fence = std::ranges::find(batch.fences, table, &Fence::table);
    std::pair reached{batch.end, PartOf(batch, table)};
    if (fence != batch.fences.end()) {
      reached = {fence->position, std::nullopt};
    } else if (batch.truncated == table) {
      reached = {batch.before_truncate, std::nullopt};
    } else if (batch.added && batch.added->table == table) {
      reached = {batch.added->before, std::nullopt};
    }
    const auto& start = tables_[table].start;
    if (start && start->mechanism == reached.first.mechanism) mysql::Join(reached.first, *start);
    return reached;
  }

  Status RecordSending(const Batch& batch) {
    if (batch.tables.empty() && !batch.truncated) return {};
    Sending sending{.read_to = batch.read_to, .tables = {}, .inserts = {}};
    if (batch.truncated) sending.tables.push_back(*batch.truncated);
    for (const TableRows& rows : batch.tables) {
      sending.tables.push_back(rows.table);
      if (!KeepsEachOnce(tables_[rows.table])) continue;
      const clickhouse::VersionedRows sent = VersionsOf(rows.block);
      auto [start, part] = Reached(batch, rows.table);
      sending.inserts.push_back({.table = rows.table,
                                 .version_begin = sent.begin,
                                 .version_end = sent.end,
                                 .rows = sent.count,
                                 .start = std::move(start),
                                 .start_part = std::move(part)});
    }
    return journal_->RecordSending(sending);
  }

  static std::optional<model::TransactionPart> PartOf(const Batch& batch, size_t table) {
    const auto part = std::ranges::find(batch.open.tables, table, &OpenTransaction::Table::table);
    if (part == batch.open.tables.end()) return std::nullopt;
    return model::TransactionPart{.read_to = batch.read_to, .rows = part->rows};
  }

  // A write failed for good: what of the batch it left undone is done again from its beginning.
  void FenceTable(Batch& batch, size_t table, Error error, Heals heals = Heals::kByUser) {
    fenced_.insert(table);
    options_.fence_requests->Add(table, error);  // so that its rows are no longer decoded
    std::erase_if(batch.tables, [&](const TableRows& rows) { return rows.table == table; });
    batch.fences.push_back(
        {.table = table, .position = batch.begin, .error = std::move(error), .heals = heals});
  }

  Status Reread(Batch& batch) {
    std::vector<BatchWriter::TableError> errors;
    for (TableRows& rows : batch.tables) {
      rows.block = {};  // room for what is read again
      if (rows.rereads.empty()) continue;
      Status status = rereader_.Write(rows, batch.read_to, stop_.get_token());
      if (status) continue;
      if (!ConcernsOneTable(status.error())) return status;
      errors.push_back({rows.table, std::move(status).error()});
    }
    for (auto& [table, error] : errors) FenceTable(batch, table, std::move(error));
    return {};
  }

  Status Truncate(Batch& batch) {
    if (!batch.truncated) return {};
    const size_t table = *batch.truncated;
    if (fenced_.contains(table)) {
      batch.truncated.reset();
      return {};
    }
    options_.stop_load(table);
    Status status = writer_.Truncate(table, stop_.get_token());
    if (status) return {};
    batch.truncated.reset();
    return FenceIfItsOwn(batch, table, std::move(status));
  }

  // A user who may insert may lack what only such a statement needs.
  Status FenceIfItsOwn(Batch& batch, size_t table, Status status) {
    const bool refused = status.error().native_code == clickhouse::kErrAccessDenied;
    if (!refused && !ConcernsOneTable(status.error())) return status;
    const bool heals = status.error().code == ErrorCode::kConflict;  // CheckDefaults
    FenceTable(batch, table, std::move(status).error(), heals ? Heals::kByResync : Heals::kByUser);
    return {};
  }

  // A load of the table goes on by the definition that it began with: what it does not read is the
  // default, or in the log.
  Status AddColumns(Batch& batch) {
    if (!batch.added) return {};
    const size_t table = batch.added->table;
    if (fenced_.contains(table)) {
      batch.added.reset();
      return {};
    }
    Status status = writer_.AddColumns(table, batch.added->columns, stop_.get_token());
    if (status) {
      StreamTable& altered = tables_[table];
      altered.definition = batch.added->definition;
      batch.added->start = batch.end;
      if (altered.start && altered.start->mechanism == batch.end.mechanism) {
        mysql::Join(batch.added->start, *altered.start);
      }
      return {};
    }
    batch.added.reset();
    return FenceIfItsOwn(batch, table, std::move(status));
  }

  Status Acknowledge(Batch batch, UnixMicros started_at) {
    Acknowledged acknowledged{.end = std::move(batch.end),
                              .open = std::move(batch.open),
                              .prepared = std::move(batch.prepared),
                              .rows = 0,
                              .bytes = batch.bytes,
                              .tables = {},
                              .fences = std::move(batch.fences),
                              .added = std::move(batch.added),
                              .truncated = batch.truncated,
                              .made = std::move(batch.made),
                              .reading = batch.reading,
                              .decoding = batch.decoding,
                              .started_at = started_at,
                              .finished_at = options_.clock->Wall(),
                              .last_commit = batch.last_commit,
                              .notices = std::move(batch.notices),
                              .stale = writer_.TakeStale()};
    for (TableRows& rows : batch.tables) {
      acknowledged.rows += rows.counts.total();
      acknowledged.tables.push_back({rows.table, rows.counts, std::move(rows.changes)});
    }
    PENSTOCK_TRY(journal_->Acknowledge(acknowledged));
    options_.traffic->rows_sent += acknowledged.rows;
    options_.traffic->bytes_sent += acknowledged.bytes;
    for (const std::string& file : batch.ended_files) {
      std::error_code ignored;  // what stays is removed by the next start
      std::filesystem::remove(options_.prepared_folder / file, ignored);
    }
    for (const size_t table : acknowledged.stale) tables_[table].old_target.clear();
    if (acknowledged.truncated) options_.forget_load(*acknowledged.truncated);
    for (const Fence& fence : acknowledged.fences) {
      options_.forget_load(fence.table);
      LogError({options_.pipe_name, tables_[fence.table].definition.name.ToString()},
               "quarantined: {}", fence.error.ToString());
    }
    return {};
  }

  std::vector<StreamTable> tables_;  // as the batch at hand finds them
  BatchWriter writer_;
  Rereader rereader_;
  const StreamOptions& options_;
  BoundedQueue<Batch>& batches_;
  Brake& brake_;
  StreamJournal* journal_;
  std::stop_source reader_stop_;
  std::stop_source stop_;
  std::atomic<bool> idle_{true};
  std::set<size_t> fenced_;  // tables, since the stream began
  SteadyTime cleaned_at_ = options_.clock->Steady();
  Status status_;  // read after join
  Mutex mutex_;
  CondVar ended_;
  bool done_ GUARDED_BY(mutex_) = false;
  std::jthread thread_;  // last: starts when all else is there
};

PreparedTransactions::Options HeldOptions(const StreamOptions& options) {
  PreparedTransactions::Options held{.folder = options.prepared_folder};
  held.memory_bytes_max = std::min(held.memory_bytes_max, options.batch_bytes_max);
  return held;
}

}  // namespace

Status RunStream(const std::vector<StreamTable>& tables, const StreamStart& start,
                 const StreamOptions& options, StreamJournal* journal, std::stop_token stop) {
  PENSTOCK_ASSIGN(
      auto assembler,
      Assembler::Make(
          tables, start, [journal] { return journal->ReserveVersions(); }, HeldOptions(options)));

  assembler->set_awaits(options.awaits);
  std::stop_source reader_stop;
  std::stop_callback forward(stop, [&reader_stop] { reader_stop.request_stop(); });
  BoundedQueue<Batch> batches(1);
  Brake brake;
  WriterThread writer(tables, options, batches, brake, journal, reader_stop);
  LogFollower follower(*assembler, options, batches, brake, [&] {
    if (writer.idle()) journal->CaughtUp();
  });
  SourceWatch watch(options, journal);
  const std::jthread watching([&](std::stop_token stopped) {
    if (options.source_watch_interval.count() != 0) watch.Run(std::move(stopped));
  });
  const Status read = follower.Run(reader_stop.get_token());
  batches.Close();
  const Status written = writer.Finish(stop);

  if (stop.stop_requested()) return Fail(ErrorCode::kCancelled, "stopped");
  return written ? read : written;
}

}  // namespace penstock::stream
