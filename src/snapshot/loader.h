#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "base/bounded_queue.h"
#include "base/mutex.h"
#include "base/status.h"
#include "mysql/wire/connection.h"
#include "snapshot/load.h"
#include "snapshot/partition_reader.h"
#include "snapshot/planner.h"
#include "snapshot/progress.h"

namespace penstock::snapshot {

// Loads tables by partitions, several at once, each read by the binary protocol and written as
// Native blocks. Errors that pass are retried for as long as it takes; a partition begun anew
// writes its rows with a higher version, so that the newest reading wins. A consistent load ends
// with the first error of a reader.
class Loader {
 public:
  // `journal` outlives the loader.
  Loader(std::vector<LoadTable> tables, LoaderOptions options, LoadJournal* journal);
  ~Loader();

  // Runs until every partition is in; kCancelled on stop, else the first error that does not pass.
  // Returns only when all its threads have ended.
  Status Run(std::stop_token stop);

  // In the order of the tables given. Safe from any thread.
  LoadFigures figures(size_t table) const { return progress_[table]->figures(); }
  size_t tables() const { return tables_.size(); }

 private:
  struct Work {
    size_t table;
    Partition partition;
    std::optional<uint64_t> rows_max = std::nullopt;  // of a slice, when the whole takes too long
  };
  // A lane: one thread that takes tables and plans them, and the workers it feeds. A worker goes on
  // with the lane's next table while the last partitions of the one before are still being read.
  using Lane = BoundedQueue<Work>;

  // A worker's own connection, where the load is consistent.
  using Worker = std::optional<mysql::Connection>;

  // Of the tables that are not planned yet.
  Status EstimateTables();
  Status RunLanes(std::vector<Worker> workers);
  Status RunConsistently(std::stop_token stop);
  void RunLane(std::span<Worker> connections);
  Status PlanTables(Lane& lane);
  Status PlanTable(size_t table, std::optional<mysql::Connection>& connection, Lane& lane);
  // These open the connection where there is none yet, and the last one makes the planner.
  Status Connect(std::optional<mysql::Connection>& connection);
  Status FindKey(size_t table, std::optional<mysql::Connection>& connection);
  Result<std::optional<Partition>> PlanNext(size_t table,
                                            std::optional<mysql::Connection>& connection,
                                            std::optional<Planner>& planner);
  Status LoadPartitions(Lane& lane, Worker connection);
  Status LoadPartition(PartitionReader& reader, const Work& work);
  Status LoadSlices(PartitionReader& reader, const Work& work);
  Result<PartitionReader::Rows> LoadSlice(PartitionReader& reader, const Work& slice,
                                          UnixMicros started_at);
  // Once, when the last partition is in.
  void LogIfEnded(size_t table);
  std::optional<uint64_t> FewerRows(const LoadTable& table, std::optional<uint64_t> rows_max) const;
  // The index of the next table nobody has taken; nullopt when there is none.
  std::optional<size_t> TakeTable() EXCLUDES(mutex_);
  // Runs `attempt` until it succeeds, fails for good, or the load is stopped. RetryRead: of a
  // reader, whose snapshot is lost with most errors.
  Status Retry(const std::function<Status()>& attempt);
  Status RetryRead(const std::function<Status()>& attempt);
  Status RetryIf(bool (*passes)(const Error&), const std::function<Status()>& attempt);
  // Remembers the first error and stops everything.
  void Abort(Error error) EXCLUDES(mutex_);

  std::vector<LoadTable> tables_;
  LoaderOptions options_;
  LoadJournal* journal_;
  Throttle throttle_;
  std::vector<std::unique_ptr<LoadProgress>> progress_;
  std::stop_source stop_;
  Mutex mutex_;
  size_t next_table_ GUARDED_BY(mutex_) = 0;
  std::optional<Error> error_ GUARDED_BY(mutex_);
};

}  // namespace penstock::snapshot
