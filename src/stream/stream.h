#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/memory_budget.h"
#include "base/status.h"
#include "clickhouse/client.h"
#include "model/position.h"
#include "mysql/wire/connection.h"
#include "stream/assembler.h"
#include "stream/batch.h"
#include "stream/fence_requests.h"

namespace penstock::stream {

struct StreamOptions {
  mysql::Endpoint source;
  uint32_t server_id = 0;
  clickhouse::Endpoint destination;
  std::string database;
  std::string pipe_name;
  std::filesystem::path prepared_folder = {};  // of the pipe alone: see PreparedTransactions
  // A batch ends at whichever comes first, or when `memory` has no more for it; a long transaction
  // is cut only by bytes.
  std::chrono::milliseconds sync_interval{10'000};
  uint64_t batch_rows_max = 100'000;
  uint64_t batch_bytes_max = 32 << 20;
  MemoryBudget* memory = &MemoryBudget::Unlimited();  // outlives the stream
  uint32_t parallel_inserts = 4;
  // On a stop, the inserts in flight get this long to be acknowledged.
  std::chrono::milliseconds settle_timeout{1'500};
  // So often rows that were deleted are removed from the tables, when what is deleted is known for
  // good: no load writes to them. 0: never.
  std::chrono::seconds cleanup_interval{0};
  std::function<bool()> loads_are_over = [] { return true; };
  Clock* clock = &Clock::Real();
  FenceRequests* fence_requests = nullptr;  // outlives the stream
  // A load beside the stream stops what it does to a table, before the stream empties it or lets go
  // of it; and forgets the table when that is acknowledged. Called from the stream's threads.
  std::function<void(size_t table)> stop_load = [](size_t) {};
  std::function<void(size_t table)> forget_load = [](size_t) {};
  // Called from the stream's threads: an error that is being retried, and nullptr when it is over.
  std::function<void(const Error*)> on_log_retry = [](const Error*) {};
  std::function<void(const Error*)> on_insert_retry = [](const Error*) {};
  std::function<void(const Error*)> on_reread_retry = [](const Error*) {};
};

// A batch of which every insert has been acknowledged.
struct Acknowledged {
  model::Position end;
  OpenTransaction open = {};                              // begins at `end`
  std::vector<model::PreparedTransaction> prepared = {};  // at `end`
  uint64_t rows = 0;
  uint64_t bytes = 0;
  struct Table {
    size_t table = 0;
    RowCounts counts;
    model::ValueChanges changes = {};
  };
  std::vector<Table> tables;
  std::vector<Fence> fences;  // tables that are not followed any more
  std::optional<size_t>
      truncated;  // a table that was emptied: whatever its load had in mind is over
  UnixMicros started_at{};
  UnixMicros finished_at{};
  UnixMicros last_commit{};               // at the source; 0: none yet
  std::vector<std::string> notices = {};  // what people should know
};

// Where a stream writes down how far it is. Calls come from the stream's threads, one at a time
// for each method, and answer when the record is durable.
class StreamJournal {
 public:
  virtual ~StreamJournal() = default;
  // A range above every version that was ever answered or may be in the destination.
  virtual Result<VersionRange> ReserveVersions() = 0;
  // These are about to be sent. Each stands until a batch with its table is acknowledged, or until
  // the table has been asked, before a stream that may follow.
  virtual Status RecordInserts(const std::vector<RecordedInsert>& inserts) = 0;
  // The checkpoint moves to `acknowledged.end`, with `open` and `prepared`.
  virtual Status Acknowledge(const Acknowledged& acknowledged) = 0;
  // Everything the source has logged is acknowledged.
  virtual void CaughtUp() = 0;
};

// Follows the log from `start` and writes batches in order: while one batch is being inserted (its
// tables in parallel, then what had to be read again), the next is decoded. Lost connections are
// retried for as long as it takes. A table that cannot be followed on is fenced, and the others go
// on. Returns only when its threads have ended: kCancelled on stop, with the inserts in flight
// settled or given up after settle_timeout; else the first error that concerns more than one table
// and does not pass, with everything before it acknowledged. `journal` outlives the call.
Status RunStream(const std::vector<StreamTable>& tables, const StreamStart& start,
                 const StreamOptions& options, StreamJournal* journal, std::stop_token stop);

}  // namespace penstock::stream
