#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "base/bounded_queue.h"
#include "base/mutex.h"
#include "base/status.h"
#include "snapshot/load.h"

namespace penstock::snapshot {

// Progress of one table. Safe from any thread.
struct LoadProgress {
  std::atomic<uint64_t> partitions{0};
  std::atomic<uint64_t> partitions_done{0};
  std::atomic<uint64_t> rows_estimated{0};
  std::atomic<uint64_t> rows{0};     // of finished partitions, and of blocks acknowledged since
  std::atomic<bool> planned{false};  // `partitions` is final

  bool done() const { return planned && partitions == partitions_done; }
};

class PartitionReader;

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

  // In the order of the tables given.
  const LoadProgress& progress(size_t table) const { return *progress_[table]; }

 private:
  struct Work {
    size_t table;
    Partition partition;
  };
  // A lane: one thread that takes tables and plans them, and the workers it feeds. A worker goes on
  // with the lane's next table while the last partitions of the one before are still being read.
  using Lane = BoundedQueue<Work>;

  // A worker's own connection, where the load is consistent.
  using Worker = std::optional<mysql::Connection>;

  Status RunLanes(std::vector<Worker> workers);
  Status RunConsistently(std::stop_token stop);
  void RunLane(std::span<Worker> connections);
  Status PlanTables(Lane& lane);
  Status PlanTable(size_t table, Lane& lane);
  Status LoadPartitions(Lane& lane, Worker connection);
  Status LoadPartition(PartitionReader& reader, const Work& work);
  // The index of the next table nobody has taken; nullopt when there is none.
  std::optional<size_t> TakeTable() EXCLUDES(mutex_);
  // Runs `attempt` until it succeeds, fails for good, or the load is stopped.
  Status Retry(const std::function<Status()>& attempt);
  // Remembers the first error and stops everything.
  void Abort(Error error) EXCLUDES(mutex_);

  std::vector<LoadTable> tables_;
  LoaderOptions options_;
  LoadJournal* journal_;
  std::vector<std::unique_ptr<LoadProgress>> progress_;
  std::stop_source stop_;
  Mutex mutex_;
  size_t next_table_ GUARDED_BY(mutex_) = 0;
  std::optional<Error> error_ GUARDED_BY(mutex_);
};

}  // namespace penstock::snapshot
