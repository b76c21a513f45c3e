#include "snapshot/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "base/backoff.h"
#include "mysql/wire/errors.h"
#include "mysql/wire/table_read.h"
#include "obs/log.h"
#include "snapshot/partition_reader.h"
#include "snapshot/planner.h"

namespace penstock::snapshot {
namespace {

bool Passes(ErrorCode code) {
  return code == ErrorCode::kRetry || code == ErrorCode::kUnknownOutcome;
}

// The source says nothing before it has found a partition's end or its first row, however long
// that takes. A statement that takes longer than the limit ends at the source before it is given up
// here, so that none piles up there.
constexpr std::chrono::minutes kSourceSilenceMax{60};
constexpr std::chrono::minutes kPlanningMax{50};

// Trying it again would take as long.
Error PlanningFailed(Error error) {
  if (error.native_code == mysql::kErrStatementTime ||
      error.native_code == mysql::kErrExecutionTime) {
    error.code = ErrorCode::kNeedsUser;
    error.remedy = "Create the pipe with a lower snapshotNumRowsPerPartition";
  }
  return error;
}

}  // namespace

size_t ParallelTables(const std::vector<LoadTable>& tables, uint32_t parallel_tables_max) {
  const auto unfinished = std::ranges::count_if(tables, [](const LoadTable& table) {
    return !table.planned || !std::ranges::all_of(table.partitions, &Partition::done);
  });
  return std::min<size_t>(static_cast<size_t>(unfinished), parallel_tables_max);
}

Loader::Loader(std::vector<LoadTable> tables, LoaderOptions options, LoadJournal* journal)
    : tables_(std::move(tables)), options_(std::move(options)), journal_(journal) {
  options_.source.io_timeout = kSourceSilenceMax;
  for (const LoadTable& table : tables_) {
    auto progress = std::make_unique<LoadProgress>();
    progress->partitions = table.partitions.size();
    progress->rows_estimated = table.rows_estimated;
    for (const Partition& partition : table.partitions) {
      if (!partition.done) continue;
      ++progress->partitions_done;
      progress->rows += partition.rows;
    }
    progress->planned = table.planned;
    progress_.push_back(std::move(progress));
  }
}

Loader::~Loader() = default;

Status Loader::Run(std::stop_token stop) {
  std::stop_callback forward(stop, [this] { stop_.request_stop(); });
  if (options_.consistent) return RunConsistently(std::move(stop));
  const size_t lanes = ParallelTables(tables_, options_.parallel_tables);
  return RunLanes(std::vector<Worker>(lanes * options_.parallel_partitions));
}

Status Loader::RunConsistently(std::stop_token stop) {
  ConsistentOptions options{.source = options_.source,
                            .pipe_name = options_.pipe_name,
                            .tables = {},
                            .connections_max = ParallelTables(tables_, options_.parallel_tables) *
                                               options_.parallel_partitions,
                            .clock = options_.clock};
  for (const LoadTable& table : tables_) options.tables.push_back(table.definition.name);
  const auto partitions = [&]() -> Result<std::string> {
    PENSTOCK_ASSIGN(auto connection, mysql::Connection::Open(
                                         options_.source, options_.pipe_name + " snapshot", stop));
    return TablePartitions(connection, options.tables, stop);
  };
  PENSTOCK_ASSIGN(const std::string before, partitions());
  PENSTOCK_ASSIGN(auto opened, OpenConsistent(options, stop));
  options_.on_opened(opened.consistency, opened.connections.size());
  PENSTOCK_TRY(RunLanes({std::make_move_iterator(opened.connections.begin()),
                         std::make_move_iterator(opened.connections.end())}));
  PENSTOCK_ASSIGN(const std::string after, partitions());
  if (after == before) return {};
  return Fail(ErrorCode::kRetry, "partitions of a table were added or dropped during the load");
}

Status Loader::RunLanes(std::vector<Worker> workers) {
  {
    const size_t lane_workers = std::min<size_t>(workers.size(), options_.parallel_partitions);
    std::vector<std::jthread> lanes;
    for (std::span<Worker> left(workers); !left.empty(); left = left.subspan(lane_workers)) {
      lanes.emplace_back([this, lane = left.first(lane_workers)] { RunLane(lane); });
    }
  }
  MutexLock lock(mutex_);
  if (error_) return Fail(*error_);
  if (stop_.stop_requested()) return Fail(ErrorCode::kCancelled, "stopped");
  return {};
}

void Loader::RunLane(std::span<Worker> connections) {
  Lane lane(options_.parallel_partitions);
  std::vector<std::jthread> workers;
  for (Worker& connection : connections) {
    workers.emplace_back([this, &lane, &connection] {
      const Status status = LoadPartitions(lane, std::move(connection));
      if (!status) Abort(status.error());
    });
  }
  if (const Status status = PlanTables(lane); !status) Abort(status.error());
  lane.Close();
}

Status Loader::PlanTables(Lane& lane) {
  while (const auto table = TakeTable()) PENSTOCK_TRY(PlanTable(*table, lane));
  return {};
}

Status Loader::PlanTable(size_t table_index, Lane& lane) {
  const LoadTable& table = tables_[table_index];
  LoadProgress& progress = *progress_[table_index];
  const std::stop_token stop = stop_.get_token();
  for (const Partition& partition : table.partitions) {
    if (!partition.done && !lane.Push({table_index, partition}, stop)) return {};
  }
  if (table.planned) return {};

  const auto last =
      table.partitions.empty() ? std::nullopt : std::optional<Partition>(table.partitions.back());
  Planner planner(table.definition,
                  {.rows_per_partition = options_.rows_per_partition,
                   .comment = mysql::QueryComment(options_.pipe_name)},
                  last);
  std::optional<mysql::Connection> connection;
  while (true) {
    std::optional<Partition> partition;
    PENSTOCK_TRY(Retry([&]() -> Status {
      if (!connection) {
        PENSTOCK_ASSIGN(connection, mysql::Connection::Open(options_.source,
                                                            options_.pipe_name + " planner", stop));
        PENSTOCK_TRY(connection->LimitStatements(kPlanningMax, stop));
        if (progress.rows_estimated == 0) {
          PENSTOCK_ASSIGN(progress.rows_estimated,
                          EstimateRows(*connection, table.definition.name, stop));
        }
      }
      auto next = planner.Next(*connection, stop);
      if (!next) {
        connection.reset();
        return Fail(PlanningFailed(std::move(next).error()));
      }
      partition = *std::move(next);
      return {};
    }));
    if (!partition) break;
    const bool is_last = !partition->upper.has_value();
    PENSTOCK_TRY(journal_->AddPartition(table.id, *partition, is_last, progress.rows_estimated));
    ++progress.partitions;
    if (is_last) progress.planned = true;
    if (!lane.Push({table_index, *std::move(partition)}, stop)) return {};
    if (is_last) break;
  }
  progress.planned = true;
  return {};
}

Status Loader::LoadPartitions(Lane& lane, Worker connection) {
  PartitionReader reader(options_, std::move(connection));
  while (const auto work = lane.Pop(stop_.get_token())) {
    PENSTOCK_TRY(LoadPartition(reader, *work));
  }
  return {};
}

Status Loader::LoadPartition(PartitionReader& reader, const Work& work) {
  const LoadTable& table = tables_[work.table];
  LoadProgress& progress = *progress_[work.table];
  PartitionReader::Rows rows;
  const auto load = [&]() -> Status {
    PENSTOCK_ASSIGN(const uint32_t attempt, journal_->BeginAttempt(table.id));
    uint64_t rows_written = 0;
    auto loaded = reader.Load(
        table, work.partition, table.version_base + attempt,
        [&](uint64_t count) {
          rows_written += count;
          progress.rows += count;
        },
        stop_.get_token());
    if (!loaded) {
      progress.rows -= rows_written;
      return Fail(std::move(loaded).error());
    }
    rows = *std::move(loaded);
    return {};
  };
  PENSTOCK_TRY(options_.consistent ? load() : Retry(load));
  PENSTOCK_TRY(journal_->FinishPartition(table.id, work.partition.index, rows.count, rows.changes));
  ++progress.partitions_done;
  return {};
}

std::optional<size_t> Loader::TakeTable() {
  MutexLock lock(mutex_);
  if (next_table_ == tables_.size() || stop_.stop_requested()) return std::nullopt;
  return next_table_++;
}

Status Loader::Retry(const std::function<Status()>& attempt) {
  Backoff backoff;
  while (true) {
    Status status = attempt();
    if (status || !Passes(status.error().code)) {
      if (status && backoff.attempts() != 0) options_.on_retry(nullptr);
      return status;
    }
    options_.on_retry(&status.error());
    LogWarning(options_.pipe_name, "snapshot: {}; trying again", status.error().ToString());
    if (!options_.clock->Wait(backoff.Next(), stop_.get_token())) {
      return Fail(ErrorCode::kCancelled, "stopped");
    }
  }
}

void Loader::Abort(Error error) {
  {
    MutexLock lock(mutex_);
    if (!error_ && error.code != ErrorCode::kCancelled) error_ = std::move(error);
  }
  stop_.request_stop();
}

}  // namespace penstock::snapshot
