#include "snapshot/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "base/backoff.h"
#include "clickhouse/errors.h"
#include "mysql/wire/errors.h"
#include "mysql/wire/table_read.h"
#include "obs/log.h"
#include "snapshot/partition_reader.h"
#include "snapshot/planner.h"
#include "snapshot/table_size.h"

namespace penstock::snapshot {
namespace {

bool Passes(const Error& error) {
  return error.code == ErrorCode::kRetry || error.code == ErrorCode::kUnknownOutcome;
}

// The source says nothing before it has found a partition's end or its first row, however long
// that takes. A statement that takes longer than the limit ends at the source before it is given up
// here, so that none piles up there.
constexpr std::chrono::minutes kSourceSilenceMax{60};
constexpr std::chrono::minutes kPlanningMax{50};

// Unless the pipe says how many rows: enough for every worker to have as many, but so many that
// their part is large (each insert and each merge costs ClickHouse time), and no more than it puts
// into one part.
constexpr uint64_t kPartitionRowsMin = 200'000;
constexpr uint64_t kPartitionRowsMax = 1'000'000;

// Of rows so long that fewer of them are enough for a partition.
constexpr uint64_t kPartitionBytesMin = 32 << 20;
constexpr uint64_t kPartitionBytesMax = 128 << 20;

uint64_t RowsPerPartition(const LoaderOptions& options, const TableSize& size) {
  const auto rows_in = [&](uint64_t bytes) {
    const uint64_t row_bytes = size.rows == 0 ? 0 : size.bytes / size.rows;
    return std::max<uint64_t>(bytes / std::max<uint64_t>(row_bytes, 1), 1);
  };
  const uint64_t rows_in_bytes = rows_in(kPartitionBytesMax);
  if (options.rows_per_partition) return std::min(*options.rows_per_partition, rows_in_bytes);
  const uint64_t rows_max = std::min(kPartitionRowsMax, rows_in_bytes);
  const uint64_t rows_min = std::min(kPartitionRowsMin, rows_in(kPartitionBytesMin));
  const uint64_t share = size.rows / std::max(options.parallel_partitions, 1U);
  const uint64_t turns = share / rows_max + 1;  // of each worker
  return std::clamp(share / turns, rows_min, rows_max);
}

// The source, or someone there, ended the statement.
bool TookTooLong(const Error& error) {
  return error.native_code == mysql::kErrStatementTime ||
         error.native_code == mysql::kErrExecutionTime ||
         error.native_code == mysql::kErrInterrupted;
}

// With anything else the snapshot that a consistent load reads from is lost.
bool LeavesSnapshot(const Error& error) {
  return TookTooLong(error) || (error.origin == "destination" && Passes(error));
}

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
    return !table.abandoned &&
           (!table.planned || !std::ranges::all_of(table.partitions, &Partition::done));
  });
  return std::min<size_t>(static_cast<size_t>(unfinished), parallel_tables_max);
}

Loader::Loader(std::vector<LoadTable> tables, LoaderOptions options, LoadJournal* journal)
    : tables_(std::move(tables)),
      options_(std::move(options)),
      journal_(journal),
      throttle_(options_.throttle, options_.clock) {
  options_.source.io_timeout = kSourceSilenceMax;
  work_.resize(tables_.size());
  for (LoadTable& table : tables_) {
    table.in_snapshot |= options_.consistent;
    auto progress = std::make_unique<LoadProgress>();
    progress->partitions = table.partitions.size();
    progress->Estimate(table.rows_estimated, table.bytes_estimated);
    for (const Partition& partition : table.partitions) {
      if (!partition.done) continue;
      ++progress->partitions_done;
      progress->Add(partition.rows, partition.bytes);
    }
    progress->planned = table.planned;
    progress->abandoned = table.abandoned;
    static_cast<void>(progress->TakeEnd());  // of an earlier run
    progress_.push_back(std::move(progress));
    sizes_.push_back(std::make_unique<PartitionSize>(options_.partition_budget));
  }
}

Loader::~Loader() = default;

Status Loader::Run(std::stop_token stop, std::optional<ConsistentConnections> opened) {
  std::stop_callback forward(stop, [this] { stop_.request_stop(); });
  PENSTOCK_TRY(Retry(
      "", [&] { return EstimateTables(); }, stop_.get_token()));
  if (options_.consistent) return RunInSnapshot(std::nullopt, std::move(stop));
  if (opened) PENSTOCK_TRY(RunInSnapshot(std::move(opened), stop));
  const size_t lanes = ParallelTables(tables_, options_.parallel_tables);
  return RunLanes(std::vector<Worker>(lanes * options_.parallel_partitions));
}

// All at once, and first: what is estimated of the whole load must not change with every table.
Status Loader::EstimateTables() {
  std::vector<model::TableName> names;
  for (const LoadTable& table : tables_) {
    if (!table.planned) names.push_back(table.definition.name);
  }
  if (names.empty()) return {};
  const std::stop_token stop = stop_.get_token();
  PENSTOCK_ASSIGN(auto connection,
                  mysql::Connection::Open(options_.source, options_.pipe_name + " planner", stop));
  PENSTOCK_ASSIGN(const auto sizes, EstimateSizes(connection, names, stop));
  for (size_t i = 0; i < tables_.size(); ++i) {
    const auto size = sizes.find(tables_[i].definition.name);
    if (size == sizes.end()) continue;
    tables_[i].size = size->second;
    if (tables_[i].partitions.empty())
      progress_[i]->Estimate(size->second.rows, size->second.bytes);
  }
  return {};
}

Status Loader::RunInSnapshot(std::optional<ConsistentConnections> opened, std::stop_token stop) {
  ConsistentOptions options{.source = options_.source,
                            .pipe_name = options_.pipe_name,
                            .tables = {},
                            .connections_max = ParallelTables(tables_, options_.parallel_tables) *
                                               options_.parallel_partitions,
                            .mechanism = std::nullopt,
                            .clock = options_.clock};
  for (const LoadTable& table : tables_) {
    if (table.in_snapshot) options.tables.push_back(table.definition.name);
  }
  const auto partitions = [&]() -> Result<std::string> {
    PENSTOCK_ASSIGN(auto connection, mysql::Connection::Open(
                                         options_.source, options_.pipe_name + " snapshot", stop));
    return TablePartitions(connection, options.tables, stop);
  };
  PENSTOCK_ASSIGN(const std::string before, partitions());
  if (!opened) {
    PENSTOCK_ASSIGN(opened, OpenConsistent(options, stop));
  }
  options_.on_opened(opened->consistency, opened->connections.size());
  const auto take_turn = [this](bool in_snapshot) {
    MutexLock lock(mutex_);
    next_table_ = 0;
    in_snapshot_ = in_snapshot;
  };
  take_turn(true);
  PENSTOCK_TRY(RunLanes({std::make_move_iterator(opened->connections.begin()),
                         std::make_move_iterator(opened->connections.end())}));
  take_turn(false);
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
  AwaitForgotten();
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
  std::optional<mysql::Connection> connection;
  while (const auto table = TakeTable()) {
    PENSTOCK_TRY(WorkOn(
        *table, [&](std::stop_token stop) { return PlanTable(*table, connection, lane, stop); }));
  }
  return {};
}

Status Loader::PlanTable(size_t table_index, std::optional<mysql::Connection>& connection,
                         Lane& lane, std::stop_token stop) {
  const LoadTable& table = tables_[table_index];
  LoadProgress& progress = *progress_[table_index];
  if (progress.done()) return {};
  progress.begun_at = options_.clock->Steady();
  const std::string name = table.definition.name.ToString();
  PENSTOCK_TRY(Retry(
      name, [&] { return FindKey(table_index, connection, stop); }, stop));
  for (const Partition& partition : table.partitions) {
    if (!partition.done && !lane.Push({table_index, partition}, stop)) return {};
  }
  std::optional<Planner> planner;
  while (!progress.planned) {
    std::optional<Partition> partition;
    const auto plan = [&]() -> Status {
      auto next = PlanNext(table_index, connection, planner, stop);
      if (!next) {
        connection.reset();
        return Fail(PlanningFailed(std::move(next).error()));
      }
      partition = *std::move(next);
      return {};
    };
    PENSTOCK_TRY(Retry(name, plan, stop));
    const bool is_last = !partition || !partition->upper;
    PENSTOCK_TRY(journal_->AddPartition(table.id, partition, is_last, progress.figures()));
    if (partition) ++progress.partitions;
    if (is_last) progress.planned = true;
    if (is_last) LogIfEnded(table_index);
    if (partition && !lane.Push({table_index, *std::move(partition)}, stop)) return {};
  }
  return {};
}

Status Loader::FindKey(size_t table_index, std::optional<mysql::Connection>& connection,
                       std::stop_token stop) {
  LoadTable& table = tables_[table_index];
  PENSTOCK_TRY(Connect(connection, stop));
  auto key = FindRangeKey(*connection, table.definition, table.partition_key, stop);
  if (!key) {
    connection.reset();
    return Fail(std::move(key).error());
  }
  table.range_key = *std::move(key);
  return {};
}

Status Loader::Connect(std::optional<mysql::Connection>& connection, std::stop_token stop) {
  if (connection) return {};
  PENSTOCK_ASSIGN(connection, OpenToRead(options_, "planner", stop));
  return connection->LimitStatements(kPlanningMax, stop);
}

Result<std::optional<Partition>> Loader::PlanNext(size_t table_index,
                                                  std::optional<mysql::Connection>& connection,
                                                  std::optional<Planner>& planner,
                                                  std::stop_token stop) {
  const LoadTable& table = tables_[table_index];
  PENSTOCK_TRY(Connect(connection, stop));
  if (!planner) {
    planner.emplace(table.definition, table.range_key,
                    Planner::Options{.comment = mysql::QueryComment(options_.pipe_name),
                                     // What is not there now comes by the log, or has gone by it.
                                     .skips_empty = !table.in_snapshot,
                                     .rows = table.size.rows},
                    table.partitions.empty() ? std::nullopt
                                             : std::optional<Partition>(table.partitions.back()));
  }
  const uint64_t rows_max = RowsPerPartition(options_, table.size);
  return planner->Next(*connection, sizes_[table_index]->Rows(rows_max), stop);
}

Status Loader::LoadPartitions(Lane& lane, Worker connection) {
  PartitionReader reader(options_, throttle_, std::move(connection));
  while (const auto work = lane.Pop(stop_.get_token())) {
    PENSTOCK_TRY(WorkOn(work->table, [&](std::stop_token stop) {
      return LoadPartition(reader, *work, std::move(stop));
    }));
  }
  return {};
}

Status Loader::LoadPartition(PartitionReader& reader, const Work& work, std::stop_token stop) {
  LoadProgress& progress = *progress_[work.table];
  ++progress.partitions_in_flight;
  const Status loaded = LoadSlices(reader, work, std::move(stop));
  --progress.partitions_in_flight;
  PENSTOCK_TRY(loaded);
  ++progress.partitions_done;
  LogIfEnded(work.table);
  return {};
}

Status Loader::LoadSlices(PartitionReader& reader, const Work& work, std::stop_token stop) {
  const LoadTable& table = tables_[work.table];
  const UnixMicros started_at = options_.clock->Wall();
  SteadyTime::duration took{};  // without what has to be read again
  Work slice = work;
  PartitionReader::Rows all;
  std::optional<uint64_t> failed_version;
  do {
    PartitionReader::Rows rows;
    const auto load = [&]() -> Status {
      if (failed_version) PENSTOCK_TRY(reader.TakeBack(table, *failed_version, stop));
      const SteadyTime begun_at = options_.clock->Steady();
      auto loaded = LoadSlice(reader, slice, started_at, failed_version, stop);
      if (!loaded) {
        if (TookTooLong(loaded.error())) slice.rows_max = FewerRows(table, slice.rows_max);
        return Fail(std::move(loaded).error());
      }
      failed_version.reset();
      took += options_.clock->Steady() - begun_at;
      rows = *std::move(loaded);
      return {};
    };
    PENSTOCK_TRY(RetryRead(table, load, stop));
    all.count += rows.count;
    all.bytes += rows.bytes;
    model::AddTo(all.changes, rows.changes);
    all.last = rows.last;
    slice.partition.lower = std::move(rows.last);
  } while (all.last);
  sizes_[work.table]->Took(all.count, std::chrono::duration_cast<std::chrono::milliseconds>(took));
  return journal_->FinishPartition(table.id, {.index = work.partition.index,
                                              .rows = all.count,
                                              .bytes = all.bytes,
                                              .changes = std::move(all.changes)});
}

Result<PartitionReader::Rows> Loader::LoadSlice(PartitionReader& reader, const Work& slice,
                                                UnixMicros started_at,
                                                std::optional<uint64_t>& version,
                                                std::stop_token stop) {
  const LoadTable& table = tables_[slice.table];
  LoadProgress& progress = *progress_[slice.table];
  PENSTOCK_ASSIGN(const uint32_t attempt,
                  journal_->BeginAttempt(table.id, slice.partition.index, started_at));
  version = table.version_base + attempt;
  uint64_t rows_written = 0;
  uint64_t bytes_written = 0;
  auto loaded = reader.Load(
      table, slice.partition, slice.rows_max, *version,
      [&](uint64_t rows, uint64_t bytes) {
        rows_written += rows;
        bytes_written += bytes;
        progress.Add(rows, bytes);
      },
      stop);
  // What a stop leaves half read counts until the load goes on, which says so.
  if (loaded || rows_written == 0 || stop.stop_requested()) return loaded;
  progress.TakeBack(rows_written, bytes_written);
  options_.on_taken_back(
      table.definition.name.ToString(),
      fmt::format("{} rows count as loaded no more: partition {} is read again, since {}",
                  rows_written, slice.partition.index, loaded.error().ToString()));
  return loaded;
}

void Loader::LogIfEnded(size_t table) {
  LoadProgress& progress = *progress_[table];
  if (!progress.TakeEnd()) return;
  const LoadFigures figures = progress.figures();
  const std::chrono::duration<double> took = options_.clock->Steady() - progress.begun_at;
  const std::string text = fmt::format("loaded: {} rows, {:.1f} MB, {:.1f} s", figures.rows,
                                       static_cast<double>(figures.bytes) / 1e6, took.count());
  const std::string name = tables_[table].definition.name.ToString();
  const LogSubject subject(options_.pipe_name, name);
  if (figures.rows == 0) return LogDebug(subject, "{}", text);
  LogInfo(subject, "{}", text);
}

// Of a partition that takes the source too long; nothing where its rows cannot be counted off.
std::optional<uint64_t> Loader::FewerRows(const LoadTable& table,
                                          std::optional<uint64_t> rows_max) const {
  if (!table.range_key.is_unique) return std::nullopt;
  return std::max<uint64_t>(
      rows_max.value_or(options_.rows_per_partition.value_or(kPartitionRowsMax)) / 4, 1);
}

std::optional<size_t> Loader::TakeTable() {
  MutexLock lock(mutex_);
  while (next_table_ < tables_.size() && tables_[next_table_].in_snapshot != in_snapshot_) {
    ++next_table_;
  }
  if (next_table_ == tables_.size() || stop_.stop_requested()) return std::nullopt;
  return next_table_++;
}

Status Loader::WorkOn(size_t table, const std::function<Status(std::stop_token)>& work) {
  const auto abandoned = Enter(table);
  if (!abandoned) return {};
  std::stop_source either;
  std::stop_callback on_stop(stop_.get_token(), [&] { either.request_stop(); });
  std::stop_callback on_abandoned(*abandoned, [&] { either.request_stop(); });
  Status status = work(either.get_token());
  Leave(table);
  if (status || (abandoned->stop_requested() && !stop_.stop_requested())) return {};
  const bool its_own =
      mysql::ConcernsOneTable(status.error()) || clickhouse::ConcernsOneTable(status.error());
  if (!its_own) return status;
  if (!End(table)) return {};
  PENSTOCK_TRY(options_.on_table_failed(table, status.error(), stop_.get_token()));
  ForgetTable(table);
  return {};
}

std::optional<std::stop_token> Loader::Enter(size_t table) {
  MutexLock lock(mutex_);
  TableWork& work = work_[table];
  if (work.ended || progress_[table]->abandoned) return std::nullopt;
  if (++work.workers == 1) work.stop = std::stop_source();
  return work.stop.get_token();
}

void Loader::Leave(size_t table) {
  MutexLock lock(mutex_);
  if (--work_[table].workers == 0) left_.notify_all();
}

bool Loader::End(size_t table) {
  MutexLock lock(mutex_);
  TableWork& work = work_[table];
  work.stop.request_stop();
  return !std::exchange(work.ended, true);
}

void Loader::StopTable(size_t table) {
  End(table);
  MutexLock lock(mutex_);
  while (work_[table].workers != 0) left_.wait(mutex_);
}

void Loader::ForgetTable(size_t table) {
  progress_[table]->abandoned = true;
  MutexLock lock(mutex_);
  work_[table].ended = true;
  work_[table].forgotten = true;
  left_.notify_all();
}

bool Loader::AwaitForgotten() {
  MutexLock lock(mutex_);
  return left_.wait(mutex_, stop_.get_token(), [this]() REQUIRES(mutex_) {
    return std::ranges::all_of(work_,
                               [](const TableWork& work) { return !work.ended || work.forgotten; });
  });
}

Status Loader::Retry(const std::string& table, const std::function<Status()>& attempt,
                     std::stop_token stop) {
  return RetryIf(Passes, table, attempt, std::move(stop));
}

Status Loader::RetryRead(const LoadTable& table, const std::function<Status()>& attempt,
                         std::stop_token stop) {
  return RetryIf(table.in_snapshot ? LeavesSnapshot : Passes, table.definition.name.ToString(),
                 attempt, std::move(stop));
}

Status Loader::RetryIf(bool (*passes)(const Error&), const std::string& table,
                       const std::function<Status()>& attempt, std::stop_token stop) {
  Backoff backoff;
  while (true) {
    Status status = attempt();
    if (status || !passes(status.error())) {
      if (status && backoff.attempts() != 0) options_.on_retry(nullptr);
      return status;
    }
    options_.on_retry(&status.error());
    LogWarning({options_.pipe_name, table}, "snapshot: {}; trying again",
               status.error().ToString());
    if (!options_.clock->Wait(backoff.Next(), stop)) {
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
