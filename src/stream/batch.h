#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "clickhouse/block.h"
#include "model/position.h"
#include "model/table.h"
#include "model/value_changes.h"
#include "typemap/table_map.h"

namespace penstock::stream {

// One table the stream follows, with the definition that is valid from the start position on.
struct StreamTable {
  model::Table definition;
  typemap::TargetOptions target_options;
  std::string target;  // table name
};

struct RowCounts {
  uint64_t inserted = 0;
  uint64_t updated = 0;
  uint64_t deleted = 0;

  uint64_t total() const { return inserted + updated + deleted; }
};

// The rows of one table in a batch.
struct TableRows {
  size_t table = 0;  // index into the stream's tables
  clickhouse::Block block;
  RowCounts counts;
  model::ValueChanges changes;  // by rule, because ClickHouse cannot hold the values
  // Rows whose changes the log holds in part (binlog_row_image MINIMAL, NOBLOB), by
  // mysql::KeyCondition, a key perhaps more than once: what the source has of them by now is to be
  // written with this version.
  std::vector<std::string> rereads;
  uint64_t reread_version = 0;
};

// Changes in the order of the log, split by table. Moved from the thread that decodes to the one
// that writes.
struct Batch {
  std::vector<TableRows> tables;  // those with rows
  // Once this batch and all before it are acknowledged, nothing before `end` is needed again. Rows
  // of a transaction that is still open may be in the batch; `end` is then before it.
  model::Position end;
  model::Position read_to;  // `end`, and what was read of the transaction that is open
  uint64_t rows = 0;
  uint64_t bytes = 0;        // of the column data
  UnixMicros last_commit{};  // at the source, of the last whole transaction; 0: none yet
};

}  // namespace penstock::stream
