#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "pipe/checks/check.h"
#include "pipe/spec.h"
#include "pipe/state.h"

namespace penstock::pipe {

// What is known of one table of a pipe, for people and programs.
struct TableStatus {
  model::TableName source;
  std::string target;             // database.table
  std::string state;              // "waiting", "loading", "following", "loaded"
  uint64_t partitions = 0;        // planned so far
  uint64_t partitions_done = 0;
  uint64_t rows_estimated = 0;    // of the snapshot; 0: unknown
  uint64_t rows_loaded = 0;
  uint64_t rows_inserted = 0;     // from the stream, since the process started
  uint64_t rows_updated = 0;
  uint64_t rows_deleted = 0;
  uint64_t values_changed = 0;    // clamped, nulled, replaced
  std::string ddl;                // the CREATE TABLE that was run
};

struct PipeStatus {
  std::string id;
  PipeSpec spec;
  State state = State::kProvisioning;
  std::string reason;             // why this state: one line with the remedy, "" when ordinary
  UnixMicros state_since{};
  UnixMicros created_at{};
  UnixMicros updated_at{};
  std::string position;           // of the checkpoint, "" before the first
  std::optional<std::chrono::milliseconds> lag;  // source commit to acknowledged; absent: unknown
  double rows_per_second = 0;     // snapshot and stream, over the last seconds
  uint64_t last_batch_rows = 0;
  std::chrono::milliseconds last_batch_duration{};
  std::string retrying;           // the error being retried now, "" when all is well
  uint64_t retry_attempts = 0;
  std::vector<TableStatus> tables;
};

enum class Command : uint8_t { kStart, kStop, kResync };

// Owns all pipes of the process: starts their runners from the catalog, takes commands. Safe from
// any thread. Calls answer once the change is durable in the catalog; the work goes on behind.
class Supervisor {
 public:
  struct Options {
    catalog::Catalog* catalog = nullptr;
    clickhouse::Endpoint default_destination;
    bool has_default_destination = false;
    uint64_t memory_limit_bytes = 0;
  };
  explicit Supervisor(Options options);
  ~Supervisor();  // stops every runner; their states stay as they are in the catalog

  // Starts a runner for each stored pipe.
  Status Start();

  // Everything `create` would refuse, and what it would run; changes nothing.
  CheckReport Check(const PipeSpec& spec, std::stop_token stop);
  // Runs the checks; kInvalidArgument with all errors listed, and nothing made, unless all pass.
  Result<PipeStatus> Create(PipeSpec spec, std::stop_token stop);
  Result<PipeStatus> Get(const std::string& id) const;
  std::vector<PipeStatus> List() const;
  // kConflict with the state and what is allowed.
  Result<PipeStatus> Apply(const std::string& id, Command command);
  // Stops the runner, forgets the pipe; destination tables stay.
  Status Delete(const std::string& id);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::pipe
