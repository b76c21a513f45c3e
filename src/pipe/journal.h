#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "obs/histogram.h"
#include "snapshot/load.h"
#include "stream/stream.h"

namespace penstock::pipe {

// What a stream has done, for people: of all its tables together.
struct StreamSummary {
  model::Position position;
  std::optional<std::chrono::milliseconds> lag;
  std::optional<stream::SourceLog> source;  // as it was asked last
  std::optional<uint64_t> lag_bytes() const;
  // How much longer the source keeps what comes next.
  std::optional<std::chrono::seconds> retention_left() const;
  // Since the process started.
  uint64_t rows = 0;
  struct Batches {
    Histogram inserting;
    UnixMicros reading{};
    UnixMicros decoding{};
  };
  Batches batches;
  uint64_t last_batch_rows = 0;
  std::chrono::milliseconds last_batch_duration{};
  std::chrono::milliseconds last_batch_age{};              // since it was inserted
  std::optional<std::chrono::milliseconds> source_answer;  // the quickest of the last few
  std::vector<model::PreparedTransaction> prepared;        // at the position
};

struct StreamProgress : StreamSummary {
  struct Table {
    stream::RowCounts counts;
    model::ValueChanges changes;  // of snapshot and stream, since the table was set up
    std::optional<catalog::Quarantine> quarantine;
    std::string ddl;  // that made its target what it is
  };
  std::vector<Table> tables;  // in the stream's order
};

// Writes the progress of one pipe's snapshot and stream to the catalog, and remembers it for the
// pipe's status. Safe from any thread.
class Journal final : public snapshot::LoadJournal, public stream::StreamJournal {
 public:
  // `catalog` and `clock` outlive the journal.
  struct Options {
    catalog::Catalog* catalog = nullptr;
    Clock* clock = nullptr;
    std::string pipe_id;
    std::string database = {};  // of the targets
    std::string cluster = {};
    catalog::Checkpoint checkpoint;
    uint64_t last_batch_number = 0;
    std::span<const catalog::TableRecord> tables;     // in the stream's order; read while made
    std::vector<catalog::ValueChangeRecord> changes;  // so far
    StreamProgress before = {};  // of the journal that this one takes the place of: rows go on
    std::function<void()> on_quarantine = [] {};  // one more table; from the stream's thread
    // Tables that were awaited came to be, and are new or quarantined.
    std::function<void(const model::Position& end)> on_made = [](const auto&) {};  // likewise
    std::function<void()> on_flowing = [] {};  // what the stream tells is on record; likewise
    std::function<void(const std::string&)> on_warning = [](const std::string&) {};  // likewise
  };
  explicit Journal(Options options);

  Status AddPartition(int64_t table_id, const std::optional<snapshot::Partition>& partition,
                      bool is_last, const snapshot::LoadFigures& figures) override;
  Result<uint32_t> BeginAttempt(int64_t table_id, uint32_t index, UnixMicros started_at) override;
  Status FinishPartition(int64_t table_id, const snapshot::LoadedPartition& partition) override
      EXCLUDES(progress_mutex_);

  // Before a stream begins: versions to be handed out are at least `first`, and above the
  // checkpoint's reserved end in any case.
  void RaiseVersions(uint64_t first) EXCLUDES(mutex_);
  // The pipe is started: what an earlier stream told of its lag holds no more.
  void ForgetLag() EXCLUDES(progress_mutex_);
  Result<stream::VersionRange> ReserveVersions() override EXCLUDES(mutex_);
  Status RecordSending(const stream::Sending& sending) override EXCLUDES(mutex_);
  Status Acknowledge(const stream::Acknowledged& acknowledged) override
      EXCLUDES(mutex_, progress_mutex_);
  // Likewise of a retry: tables that are quarantined, `tables` of the stream's, are followed in a
  // session of their own. The checkpoint stays.
  Status AcknowledgeRetry(const stream::Acknowledged& acknowledged,
                          const std::vector<size_t>& tables) EXCLUDES(mutex_, progress_mutex_);
  // Tables whose retry is on record.
  void BeginRetry(const std::vector<int64_t>& table_ids) EXCLUDES(progress_mutex_);
  // The retry of these tables, where it goes on, is over: they stay quarantined.
  Status FailRetry(const std::vector<size_t>& tables, const Error& error)
      EXCLUDES(mutex_, progress_mutex_);
  void CaughtUp() override EXCLUDES(progress_mutex_);
  void SourceSeen(const std::optional<stream::SourceLog>& log) override EXCLUDES(progress_mutex_);

  // Until the table, by its place among the stream's, is quarantined on record; kCancelled on stop.
  Status AwaitQuarantine(size_t table, std::stop_token stop) EXCLUDES(progress_mutex_);

  // What was counted of tables that are loaded anew counts no more.
  void ForgetCounts(const std::vector<catalog::TableRecord>& tables) EXCLUDES(progress_mutex_);

  // With its tables it is large: for those who show them.
  StreamProgress progress() const EXCLUDES(progress_mutex_);
  StreamSummary summary() const EXCLUDES(progress_mutex_);
  std::set<size_t> quarantined() const EXCLUDES(progress_mutex_);  // by place in the stream's order
  model::Position position() const EXCLUDES(progress_mutex_);      // of the checkpoint

 private:
  void Age(StreamSummary& summary) const REQUIRES(progress_mutex_);
  StreamProgress::Table* FindTable(int64_t table_id) REQUIRES(progress_mutex_);
  void Remember(const stream::Acknowledged& acknowledged, const catalog::CheckpointNews& news)
      REQUIRES(mutex_) EXCLUDES(progress_mutex_);
  void RememberTables(const stream::Acknowledged& acknowledged, const catalog::CheckpointNews& news)
      REQUIRES(mutex_, progress_mutex_);
  std::vector<catalog::BatchRecord::Table> ChangesOf(const stream::Acknowledged& acknowledged) const
      REQUIRES(mutex_);
  catalog::DefinitionRecord DefinitionOf(const stream::Acknowledged& acknowledged) const;
  std::optional<catalog::BatchRecord> BatchOf(const stream::Acknowledged& acknowledged) const
      REQUIRES(mutex_);
  catalog::CheckpointNews NewsOf(const stream::Acknowledged& acknowledged) const REQUIRES(mutex_);
  std::vector<int64_t> MadeAnew(const stream::Acknowledged& acknowledged) const
      EXCLUDES(progress_mutex_);

  catalog::Catalog* const catalog_;
  Clock* const clock_;
  const std::string pipe_id_;
  const std::string database_;
  const std::string cluster_;
  std::vector<int64_t> table_ids_;
  std::vector<std::string> targets_;
  const std::function<void()> on_quarantine_;
  const std::function<void(const model::Position&)> on_made_;
  const std::function<void()> on_flowing_;
  const std::function<void(const std::string&)> on_warning_;
  // Held over the catalog's write: the checkpoint and the reservation are one record.
  mutable Mutex mutex_;
  catalog::Checkpoint checkpoint_ GUARDED_BY(mutex_);
  model::Position recorded_to_ GUARDED_BY(mutex_);  // by the records of batches
  uint64_t versions_next_ GUARDED_BY(mutex_);
  uint64_t last_batch_number_ GUARDED_BY(mutex_);
  std::set<int64_t> inserts_ GUARDED_BY(mutex_);  // tables with one on record
  // Taken after the other, and never for long: whoever asks for the progress waits for no write.
  mutable Mutex progress_mutex_;
  StreamProgress progress_ GUARDED_BY(progress_mutex_);
  std::set<size_t> quarantined_ GUARDED_BY(progress_mutex_);  // of progress_.tables
  SteadyTime lag_known_at_ GUARDED_BY(progress_mutex_);
  SteadyTime last_batch_at_ GUARDED_BY(progress_mutex_);
  std::deque<std::chrono::milliseconds> answers_ GUARDED_BY(progress_mutex_);  // the source's
  bool retention_warned_ GUARDED_BY(progress_mutex_) = false;
  CondVar more_quarantined_;
};

}  // namespace penstock::pipe
