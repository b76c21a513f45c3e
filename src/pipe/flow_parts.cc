#include "pipe/flow_parts.h"

#include <algorithm>
#include <set>
#include <utility>

#include "clickhouse/errors.h"
#include "clickhouse/table_writes.h"
#include "pipe/setup.h"
#include "pipe/target_tables.h"

namespace penstock::pipe {
namespace {

// What a pipe may take of the process's memory when no other does: its stream holds up to three
// batches, its snapshot a block a worker, both with room to grow by doubling.
uint64_t BatchBytesMax(const MemoryLimits& memory) {
  return std::clamp<uint64_t>(memory.bytes / 32, memory.share_bytes_min, 24 << 20);
}
uint64_t BlockBytesMax(const MemoryLimits& memory, uint64_t workers) {
  return std::clamp<uint64_t>(memory.bytes / 8 / std::max<uint64_t>(workers, 1),
                              memory.share_bytes_min, 4 << 20);
}

snapshot::ThrottleLimits ThrottleOf(const PipeSettings& settings) {
  constexpr uint64_t kMegabyte = 1'000'000;
  snapshot::ThrottleLimits limits{.rows_per_second = settings.snapshot_rows_per_second,
                                  .bytes_per_second = settings.snapshot_megabytes_per_second,
                                  .threads_running_max = settings.snapshot_max_threads_running,
                                  .replica_lag_max = std::nullopt};
  if (const auto lag = settings.snapshot_max_replica_lag_seconds) {
    limits.replica_lag_max = std::chrono::seconds(*lag);
  }
  if (limits.bytes_per_second) *limits.bytes_per_second *= kMegabyte;
  return limits;
}

// Stable for the pipe, and far above the ids that people give their servers (FNV-1a of its UUID).
uint32_t ServerId(const std::string& pipe_id) {
  uint32_t hash = 2166136261;
  for (const char c : pipe_id) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619;
  return hash | 0x40000000;
}

}  // namespace

bool Passes(ErrorCode code) {
  return code == ErrorCode::kRetry || code == ErrorCode::kUnknownOutcome ||
         code == ErrorCode::kExhausted;
}

bool IsLoadedInSnapshot(const PipeSpec& spec, size_t table) {
  return spec.settings.mode != ReplicationMode::kSnapshot &&
         spec.tables[table].engine == clickhouse::Engine::kMergeTree;
}

std::vector<stream::StreamTable> StreamTables(const PipeSpec& spec,
                                              const std::vector<catalog::TableRecord>& tables) {
  std::vector<stream::StreamTable> result;
  for (size_t i = 0; i < tables.size(); ++i) {
    result.push_back({.definition = tables[i].definition,
                      .target_options = TargetOptionsOf(spec, spec.tables[i]),
                      .target = tables[i].filled_by(),
                      .old_target = tables[i].keeps_target_fresh ? tables[i].target : "",
                      .quarantined = tables[i].quarantine.has_value(),
                      .gone = tables[i].quarantine && tables[i].quarantine->gone,
                      .start = tables[i].start,
                      .start_part = tables[i].start_part});
    const bool has_shape = !tables[i].ddl.empty() && !tables[i].reload_wanted;
    if (!tables[i].quarantine || has_shape) continue;
    // Never set up, perhaps because it cannot be, or by another mapping: nothing of its shape may
    // matter.
    result.back().definition = model::Table();
    result.back().definition.name = tables[i].definition.name;
    result.back().target_options = typemap::TargetOptions();
    result.back().target_options.engine = clickhouse::Engine::kNull;
  }
  return result;
}

stream::StreamStart StartOf(const catalog::Checkpoint& checkpoint,
                            const std::vector<catalog::TableRecord>& tables) {
  stream::StreamStart start{.position = checkpoint.position,
                            .open = {.gtid = checkpoint.open.gtid, .tables = {}},
                            .prepared = checkpoint.prepared};
  if (checkpoint.sent) start.sent_to = checkpoint.sent->read_to;
  for (const auto& [table_id, rows] : checkpoint.open.tables) {
    const auto found = std::ranges::find(tables, table_id, &catalog::TableRecord::id);
    if (found == tables.end()) continue;
    start.open.tables.push_back({static_cast<size_t>(found - tables.begin()), rows});
  }
  return start;
}

Result<std::vector<snapshot::LoadTable>> LoadTables(
    const PipeSpec& spec, const std::vector<catalog::TableRecord>& tables,
    std::vector<catalog::PartitionRecord> partitions) {
  if (tables.size() != spec.tables.size()) {
    return Fail(ErrorCode::kNotFound, "the mappings of the stored tables are not known");
  }
  auto next = partitions.begin();
  std::vector<snapshot::LoadTable> result;
  for (size_t i = 0; i < tables.size(); ++i) {
    snapshot::LoadTable table{.id = tables[i].id,
                              .definition = tables[i].definition,
                              .target_options = TargetOptionsOf(spec, spec.tables[i]),
                              .target = tables[i].filled_by(),
                              .start = tables[i].start,
                              .partition_key = spec.tables[i].partition_key,
                              .version_base = tables[i].load_version_base,
                              .partitions = {},
                              .planned = tables[i].partitions_planned,
                              .rows_estimated = tables[i].rows_estimated,
                              .bytes_estimated = tables[i].bytes_estimated,
                              .abandoned = tables[i].quarantine.has_value(),
                              .in_snapshot = IsLoadedInSnapshot(spec, i)};
    for (; next != partitions.end() && next->table_id == table.id; ++next) {
      table.partitions.push_back({.index = next->index,
                                  .lower = std::move(next->lower),
                                  .upper = std::move(next->upper),
                                  .done = next->done,
                                  .rows = next->rows,
                                  .bytes = next->bytes});
    }
    result.push_back(std::move(table));
  }
  return result;
}

Result<std::vector<UnsettledInsert>> SettleInserts(
    catalog::Catalog& catalog, const std::vector<catalog::InsertRecord>& inserts,
    const clickhouse::Endpoint& destination, const std::string& database, Clock& clock,
    std::stop_token stop) {
  std::vector<Result<bool>> are_there(inserts.size(), false);
  const auto settle = [&](clickhouse::Client& client, size_t number,
                          std::stop_token each) -> Status {
    const catalog::InsertRecord& insert = inserts[number];
    are_there[number] = clickhouse::SettleInsert(client,
                                                 {.database = database,
                                                  .table = insert.target,
                                                  .begin = insert.version_begin,
                                                  .end = insert.version_end,
                                                  .count = insert.rows,
                                                  .query_id = {}},
                                                 clock, std::move(each));
    const Result<bool>& is_there = are_there[number];
    if (is_there || clickhouse::ConcernsOneTable(is_there.error())) return {};
    return Fail(is_there.error());
  };
  PENSTOCK_TRY(DoSeveral(destination, inserts.size(), settle, stop));
  std::vector<UnsettledInsert> unsettled;
  for (size_t i = 0; i < inserts.size(); ++i) {
    const Result<bool>& is_there = are_there[i];
    if (is_there) {
      PENSTOCK_TRY(catalog.SettleInsert(inserts[i], *is_there));
    } else {
      unsettled.push_back({inserts[i].table_id, is_there.error()});
    }
  }
  return unsettled;
}

// Not what was `sent`: that may be of later transactions, too. By file the transaction is the one
// that begins before the next byte.
std::optional<model::TransactionPart> PartAfter(const catalog::Checkpoint& checkpoint,
                                                int64_t table_id) {
  const auto& [gtid, tables] = checkpoint.open;
  const auto part = std::ranges::find(tables, table_id, &catalog::OpenTransaction::Table::table_id);
  if (part == tables.end()) return std::nullopt;
  model::Position read_to = checkpoint.position;
  switch (read_to.mechanism) {
    case model::Mechanism::kMysqlGtid:
      read_to.mysql.Add(model::MysqlGtidSet::Parse(gtid).value_or(model::MysqlGtidSet()));
      break;
    case model::Mechanism::kMariadbGtid:
      read_to.mariadb.Merge(
          model::MariadbGtidPosition::Parse(gtid).value_or(model::MariadbGtidPosition()));
      break;
    case model::Mechanism::kFile:
      ++read_to.offset;
      break;
  }
  return model::TransactionPart{.read_to = std::move(read_to), .rows = part->rows};
}

Result<uint64_t> FirstFreeVersion(const clickhouse::Endpoint& destination,
                                  const std::string& database,
                                  const std::vector<catalog::TableRecord>& tables,
                                  std::stop_token stop) {
  std::set<std::string> targets;
  for (const auto& table : tables) {
    if (table.quarantine) continue;
    targets.insert(table.filled_by());
    if (table.keeps_target_fresh) targets.insert(table.target);
  }
  clickhouse::Client client(destination);
  return HighestVersion(client, database, {targets.begin(), targets.end()}, std::move(stop))
      .map([](uint64_t highest) { return highest + 1; });
}

snapshot::LoaderOptions LoaderOptionsFor(const PipeSpec& spec,
                                         const clickhouse::Endpoint& destination,
                                         const MemoryLimits& memory,
                                         const std::vector<snapshot::LoadTable>& tables,
                                         const catalog::Checkpoint& checkpoint) {
  const PipeSettings& settings = spec.settings;
  const auto workers = settings.initial_load_parallelism *
                       snapshot::ParallelTables(tables, settings.snapshot_parallel_tables);
  snapshot::LoaderOptions options{.source = spec.source,
                                  .destination = destination,
                                  .database = spec.database,
                                  .pipe_name = spec.name,
                                  .start_positions = {checkpoint.position},
                                  .consistent = settings.mode == ReplicationMode::kSnapshot,
                                  .parallel_tables = settings.snapshot_parallel_tables,
                                  .parallel_partitions = settings.initial_load_parallelism,
                                  .rows_per_partition = settings.snapshot_rows_per_partition,
                                  .block_bytes_max = BlockBytesMax(memory, workers),
                                  .memory = memory.snapshots,
                                  .throttle = ThrottleOf(settings)};
  for (const auto& table : tables) {
    const bool known =
        !table.start || std::ranges::count(options.start_positions, *table.start) != 0;
    if (!known) options.start_positions.push_back(*table.start);
  }
  if (options.consistent) options.start_positions.clear();
  return options;
}

stream::StreamOptions StreamOptionsFor(const PipeSpec& spec, const std::string& pipe_id,
                                       const clickhouse::Endpoint& destination,
                                       const MemoryLimits& memory) {
  // A connection that leads nowhere is left within a minute.
  clickhouse::Endpoint watched = destination;
  watched.idle_timeout = std::min(watched.idle_timeout, std::chrono::milliseconds(45'000));
  return {.source = spec.source,
          .server_id = spec.server_id ? *spec.server_id : ServerId(pipe_id),
          .mechanism_may_change = spec.settings.MechanismWanted().empty(),
          .destination = std::move(watched),
          .database = spec.database,
          .pipe_name = spec.name,
          .sync_interval = spec.settings.sync_interval,
          .batch_rows_max = spec.settings.pull_batch_size,
          .batch_bytes_max = BatchBytesMax(memory),
          .memory = memory.streams,
          .parallel_inserts = 4,
          .settle_timeout = std::chrono::milliseconds(1'500)};
}

std::filesystem::path RetryFolder(std::filesystem::path prepared_folder) {
  if (!prepared_folder.empty()) prepared_folder += "-retry";
  return prepared_folder;
}

stream::StreamOptions RetryOptionsFor(stream::StreamOptions options, const std::string& pipe_id) {
  options.server_id = ServerId(pipe_id + "/retry");
  options.mechanism_may_change = false;
  options.prepared_folder = RetryFolder(std::move(options.prepared_folder));
  // Small steps at the end, so that the stream need not wait for it.
  options.sync_interval = std::min(options.sync_interval, std::chrono::milliseconds(400));
  options.source_watch_interval = {};
  options.cleanup_interval = {};
  options.awaits = {};
  options.stop_load = [](size_t) {};
  options.forget_load = [](size_t) {};
  options.on_lacking = [](const model::Position&) {};
  options.on_position_news = [](const std::string&) {};
  return options;
}

}  // namespace penstock::pipe
