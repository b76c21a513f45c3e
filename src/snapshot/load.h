#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/memory_budget.h"
#include "base/status.h"
#include "clickhouse/client.h"
#include "model/position.h"
#include "model/table.h"
#include "model/value_changes.h"
#include "mysql/wire/connection.h"
#include "obs/traffic.h"
#include "snapshot/consistent_connections.h"
#include "snapshot/key_range.h"
#include "snapshot/progress.h"
#include "snapshot/table_size.h"
#include "snapshot/throttle.h"
#include "typemap/table_map.h"

namespace penstock::snapshot {

// One table to load, with what an earlier run left behind.
struct LoadTable {
  int64_t id = 0;  // of the journal
  model::Table definition;
  typemap::TargetOptions target_options;
  std::string target;                         // table name
  std::optional<model::Position> start = {};  // its own start position
  std::string partition_key;          // the mapping's column to range over; "": the table's key
  uint64_t version_base = 0;          // rows of attempt n carry version_base + n
  std::vector<Partition> partitions;  // planned so far, done or not
  bool planned = false;               // to the end of the table
  uint64_t rows_estimated = 0;
  uint64_t bytes_estimated = 0;
  TableSize size = {};     // found when the load begins
  bool abandoned = false;  // nothing of it is to be loaded
  // Read in one snapshot with others that are so: a load that neither goes on where another one
  // stopped, nor after an error of the source.
  bool in_snapshot = false;
  RangeKey range_key = {};  // found when the table's load begins
};

struct LoadedPartition {
  uint32_t index = 0;
  uint64_t rows = 0;
  uint64_t bytes = 0;
  model::ValueChanges changes = {};  // what became of values by rule
};

// Where a load writes down how far it is. Calls come from several threads, and answer when the
// record is durable.
class LoadJournal {
 public:
  virtual ~LoadJournal() = default;
  // Without a partition: `is_last`, and there are no more.
  virtual Status AddPartition(int64_t table_id, const std::optional<Partition>& partition,
                              bool is_last, const LoadFigures& figures) = 0;
  // A number higher than every one answered before for the table, also across crashes; from 1.
  virtual Result<uint32_t> BeginAttempt(int64_t table_id, uint32_t index,
                                        UnixMicros started_at) = 0;
  virtual Status FinishPartition(int64_t table_id, const LoadedPartition& partition) = 0;
};

// How many of the tables a load works on at once: no more than there is anything to do for.
size_t ParallelTables(const std::vector<LoadTable>& tables, uint32_t parallel_tables_max);

struct LoaderOptions {
  mysql::Endpoint source;
  clickhouse::Endpoint destination;
  std::string database;
  std::string pipe_name;
  // Every connection proves that its server has executed them: what is read is no older.
  std::vector<model::Position> start_positions;
  // All tables are in_snapshot. Such a load cannot go on: it starts again in empty tables, with
  // nothing planned.
  bool consistent = false;
  uint32_t parallel_tables = 1;                               // at most
  uint32_t parallel_partitions = 4;                           // per table
  std::optional<uint64_t> rows_per_partition = std::nullopt;  // absent: by the size of the table
  std::chrono::seconds partition_budget{60};                  // of time, for a partition
  // Per worker, if `memory` has so much; a longer row is sent alone.
  uint64_t block_bytes_max = 16 << 20;
  MemoryBudget* memory = &MemoryBudget::Unlimited();  // outlives the load
  ThrottleLimits throttle = {};
  std::shared_ptr<Traffic> traffic = std::make_shared<Traffic>();
  Clock* clock = &Clock::Real();
  // Of a consistent load: how its connections came to see one moment, and how many they are.
  std::function<void(Consistency, size_t connections)> on_opened = [](Consistency, size_t) {};
  // Called from worker threads when one table cannot be loaded, for a reason that does not concern
  // the others: an answer without an error lets these go on without it.
  std::function<Status(size_t table, const Error&, std::stop_token)> on_table_failed =
      [](size_t, const Error& error, auto) { return Status(Fail(error)); };
  // Called from worker threads: an error that is being retried, and nullptr when it is over.
  std::function<void(const Error*)> on_retry = [](const Error*) {};
  // Likewise: rows of the table that counted as loaded do so no more; the text says why.
  std::function<void(const std::string& table, const std::string& why)> on_taken_back =
      [](const std::string&, const std::string&) {};
};

}  // namespace penstock::snapshot
