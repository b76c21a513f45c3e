#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "model/table.h"
#include "model/value_changes.h"
#include "pipe/attention.h"
#include "pipe/spec.h"
#include "pipe/state.h"
#include "snapshot/progress.h"

namespace penstock::pipe {

// What is known of one table of a pipe, for people and programs.
struct TableStatus {
  model::TableName source;
  std::string target;  // database.table
  std::string state;   // "waiting", "loading", "following", "loaded", "quarantined"
  std::optional<catalog::Quarantine> quarantine = {};
  snapshot::LoadFigures load;
  double load_rows_per_second = 0;
  uint64_t rows_inserted = 0;  // from the stream, since the process started
  uint64_t rows_updated = 0;
  uint64_t rows_deleted = 0;
  model::ValueChanges changes;  // of values that ClickHouse cannot hold, since the table was set up
  std::string ddl;              // the CREATE TABLE that was run
};

struct PartitionStatus {
  model::TableName source;
  catalog::PartitionRecord partition;
};

struct BatchStatus {
  catalog::BatchRecord batch;
  std::vector<model::TableName> tables;  // of batch.changes, in their order
};

struct PipeStatus {
  std::string id;
  PipeSpec spec;
  State state = State::kProvisioning;
  std::string reason;  // why it is Failed or Degraded, with the remedy; "" in every other state
  std::vector<Attention> attention = {};  // why it is Degraded, each
  UnixMicros state_since{};
  UnixMicros created_at{};
  UnixMicros updated_at{};
  std::string mechanism;          // model::MechanismName, "" before the first checkpoint
  std::string position;           // of the checkpoint, by the mechanism; "" before the first
  std::string position_in_files;  // "file:offset"; "" where it is not known
  // Of the source's log, as it was asked last; absent or "": not known.
  std::string source_position;  // its end, by the mechanism
  std::string source_position_in_files;
  std::optional<uint64_t> lag_bytes;
  std::optional<std::chrono::seconds> log_retention;
  std::optional<std::chrono::seconds> log_retention_left;
  std::optional<std::chrono::milliseconds> lag;  // source commit to acknowledged; absent: unknown
  double rows_per_second = 0;                    // snapshot and stream, over the last seconds
  uint64_t last_batch_rows = 0;
  std::chrono::milliseconds last_batch_duration{};
  std::string retrying;  // the error being retried now, "" when all is well
  uint64_t retry_attempts = 0;
  std::vector<model::PreparedTransaction> prepared;  // XA: whose changes are held
  snapshot::LoadFigures load;                        // of all tables
  double load_rows_per_second = 0;
  std::vector<TableStatus> tables;
};

}  // namespace penstock::pipe
