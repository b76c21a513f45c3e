#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "base/bounded_queue.h"
#include "base/mutex.h"
#include "base/status.h"
#include "mysql/wire/connection.h"
#include "snapshot/consistent_connections.h"
#include "snapshot/load.h"
#include "snapshot/partition_reader.h"
#include "snapshot/partition_size.h"
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
  // `opened`: what the tables that are in_snapshot are read from, before the others; it is opened
  // here where the whole load is so.
  Status Run(std::stop_token stop, std::optional<ConsistentConnections> opened = std::nullopt);

  // Ends the load of one table: when it returns nothing reads the table or plans it any more. An
  // insert of it may still be on its way at the destination, and what was loaded stays. From any
  // thread but those that call on_table_failed. Run does not end before Forget.
  void StopTable(size_t table) EXCLUDES(mutex_);
  // Why it was stopped is on record: the table counts as done.
  void ForgetTable(size_t table) EXCLUDES(mutex_);

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
  Status RunInSnapshot(std::optional<ConsistentConnections> opened, std::stop_token stop);
  void RunLane(std::span<Worker> connections);
  Status PlanTables(Lane& lane);
  Status PlanTable(size_t table, std::optional<mysql::Connection>& connection, Lane& lane,
                   std::stop_token stop);
  // These open the connection where there is none yet, and the last one makes the planner.
  Status Connect(std::optional<mysql::Connection>& connection, std::stop_token stop);
  Status FindKey(size_t table, std::optional<mysql::Connection>& connection, std::stop_token stop);
  Result<std::optional<Partition>> PlanNext(size_t table,
                                            std::optional<mysql::Connection>& connection,
                                            std::optional<Planner>& planner, std::stop_token stop);
  Status LoadPartitions(Lane& lane, Worker connection);
  // Runs `work` on a table, unless and until that is abandoned. An error that concerns the table
  // alone ends its load only, if on_table_failed agrees.
  Status WorkOn(size_t table, const std::function<Status(std::stop_token)>& work) EXCLUDES(mutex_);
  std::optional<std::stop_token> Enter(size_t table) EXCLUDES(mutex_);
  void Leave(size_t table) EXCLUDES(mutex_);
  // True for the first.
  bool End(size_t table) EXCLUDES(mutex_);
  // Until every table that was stopped is forgotten; false on stop.
  bool AwaitForgotten() EXCLUDES(mutex_);
  Status LoadPartition(PartitionReader& reader, const Work& work, std::stop_token stop);
  Status LoadSlices(PartitionReader& reader, const Work& work, std::stop_token stop);
  // `version`: of its rows, once it has one.
  Result<PartitionReader::Rows> LoadSlice(PartitionReader& reader, const Work& slice,
                                          UnixMicros started_at, std::optional<uint64_t>& version,
                                          std::stop_token stop);
  // Once, when the last partition is in.
  void LogIfEnded(size_t table);
  std::optional<uint64_t> FewerRows(const LoadTable& table, std::optional<uint64_t> rows_max) const;
  // The index of the next table nobody has taken; nullopt when there is none.
  std::optional<size_t> TakeTable() EXCLUDES(mutex_);
  // Runs `attempt` until it succeeds, fails for good, or is stopped; `table`: for the log, "" for
  // all of them. RetryRead: of a reader of the
  // table, whose snapshot is lost with most errors.
  Status Retry(const std::string& table, const std::function<Status()>& attempt,
               std::stop_token stop);
  Status RetryRead(const LoadTable& table, const std::function<Status()>& attempt,
                   std::stop_token stop);
  Status RetryIf(bool (*passes)(const Error&), const std::string& table,
                 const std::function<Status()>& attempt, std::stop_token stop);
  // Remembers the first error and stops everything.
  void Abort(Error error) EXCLUDES(mutex_);

  std::vector<LoadTable> tables_;
  LoaderOptions options_;
  LoadJournal* journal_;
  Throttle throttle_;
  std::vector<std::unique_ptr<LoadProgress>> progress_;
  std::vector<std::unique_ptr<PartitionSize>> sizes_;
  std::stop_source stop_;
  Mutex mutex_;
  struct TableWork {
    int workers = 0;
    std::stop_source stop{std::nostopstate};  // of the workers
    bool ended = false;                       // no more of them begin
    bool forgotten = false;
  };
  std::vector<TableWork> work_ GUARDED_BY(mutex_);  // in the order of the tables
  CondVar left_;
  size_t next_table_ GUARDED_BY(mutex_) = 0;
  bool in_snapshot_ GUARDED_BY(mutex_) = false;  // those tables' turn
  std::optional<Error> error_ GUARDED_BY(mutex_);
};

}  // namespace penstock::snapshot
