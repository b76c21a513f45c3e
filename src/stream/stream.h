#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
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
#include "mysql/wire/connection.h"
#include "mysql/wire/log_files.h"
#include "obs/traffic.h"
#include "stream/assembler.h"
#include "stream/batch.h"
#include "stream/fence_requests.h"

namespace penstock::stream {

// How long the source has lacked what was replicated from it: kept over streams that take turns.
struct Lacking {
  std::optional<SteadyTime> since;
  SteadyTime seen_at{};  // last
};

struct StreamOptions {
  mysql::Endpoint source;
  uint32_t server_id = 0;
  // A MySQL source may be followed by GTIDs or by file, as its gtid_mode allows at the time.
  bool mechanism_may_change = false;
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
  std::shared_ptr<Traffic> traffic = std::make_shared<Traffic>();
  uint32_t parallel_inserts = 4;
  // On a stop, the inserts in flight get this long to be acknowledged.
  std::chrono::milliseconds settle_timeout{1'500};
  // So often rows that were deleted are removed from the tables, when what is deleted is known for
  // good: no load writes to them. 0: never.
  std::chrono::seconds cleanup_interval{0};
  std::function<bool()> loads_are_over = [] { return true; };
  // StreamJournal::SourceSeen is called so often; 0: never.
  std::chrono::milliseconds source_watch_interval{5'000};
  // Of tables with such names the stream tells when they come to be: Acknowledged::made. Empty: of
  // none.
  std::function<bool(const model::TableName&)> awaits = {};
  Clock* clock = &Clock::Real();
  FenceRequests* fence_requests = nullptr;  // outlives the stream
  Lacking* lacking = nullptr;               // likewise
  // A load beside the stream stops what it does to a table, before the stream empties it or lets go
  // of it; and forgets the table when that is acknowledged. Called from the stream's threads.
  std::function<void(size_t table)> stop_load = [](size_t) {};
  std::function<void(size_t table)> forget_load = [](size_t) {};
  // Called from the stream's threads: an error that is being retried, and nullptr when it is over.
  std::function<void(const Error*)> on_log_retry = [](const Error*) {};
  std::function<void(const Error*)> on_insert_retry = [](const Error*) {};
  std::function<void(const Error*)> on_reread_retry = [](const Error*) {};
  // After a failover the source will not have what was replicated after this place, from which its
  // log can be followed; the stream ends.
  std::function<void(const model::Position& common)> on_lacking = [](const model::Position&) {};
  // How the log is followed has changed: one line for people.
  std::function<void(const std::string&)> on_position_news = [](const std::string&) {};
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
  std::optional<AddedColumns> added = {};
  std::optional<size_t>
      truncated;  // a table that was emptied: whatever its load had in mind is over
  std::vector<MadeTable> made = {};  // as Batch's
  UnixMicros reading{};              // as those of Batch
  UnixMicros decoding{};
  UnixMicros started_at{};  // of the inserting
  UnixMicros finished_at{};
  UnixMicros last_commit{};               // at the source; 0: none yet
  std::vector<std::string> notices = {};  // what people should know
  std::vector<size_t> stale = {};         // shards whose old_target lacks what was written
};

// What the source said of its log.
struct SourceLog {
  std::string server;
  std::string gtids;                                   // that it has logged; "": none
  std::vector<mysql::LogFile> files;                   // oldest first; empty: the user may not ask
  std::optional<std::chrono::seconds> retention = {};  // nullopt: kept until removed by hand
  std::chrono::milliseconds answered_in{};             // all of this
};

// Where a stream writes down how far it is. Calls come from the stream's threads, one at a time
// for each method, and answer when the record is durable.
class StreamJournal {
 public:
  virtual ~StreamJournal() = default;
  // A range above every version that was ever answered or may be in the destination.
  virtual Result<VersionRange> ReserveVersions() = 0;
  // This is about to be sent. It stands until it is acknowledged; of each insert, until the table
  // has been asked, before a stream that may follow.
  virtual Status RecordSending(const Sending& sending) = 0;
  // The checkpoint moves to `acknowledged.end`, with `open` and `prepared`.
  virtual Status Acknowledge(const Acknowledged& acknowledged) = 0;
  // Everything the source has logged is acknowledged.
  virtual void CaughtUp() = 0;
  // Every few seconds; nullopt when the source could not be asked.
  virtual void SourceSeen(const std::optional<SourceLog>& log) = 0;
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
