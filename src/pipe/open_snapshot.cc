#include "pipe/open_snapshot.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "mysql/wire/start_position.h"
#include "pipe/flow_parts.h"
#include "pipe/whole_load.h"

namespace penstock::pipe {

Result<std::optional<snapshot::ConsistentConnections>> OpenSnapshot(
    catalog::Catalog& catalog, const std::string& pipe_id, const PipeSpec& spec,
    const clickhouse::Endpoint& destination, Clock& clock, std::stop_token stop) {
  PENSTOCK_ASSIGN(const auto checkpoint, catalog.LoadCheckpoint(pipe_id));
  PENSTOCK_ASSIGN(auto tables, catalog.Tables(pipe_id));
  PENSTOCK_ASSIGN(auto partitions, catalog.Partitions(pipe_id));
  PENSTOCK_ASSIGN(const auto loads, LoadTables(spec, tables, std::move(partitions)));
  snapshot::ConsistentOptions options{.source = spec.source,
                                      .pipe_name = spec.name,
                                      .tables = {},
                                      .mechanism = checkpoint.position.mechanism,
                                      .clock = &clock};
  std::vector<catalog::TableRecord> waiting;
  for (size_t i = 0; i < loads.size(); ++i) {
    if (!loads[i].in_snapshot || snapshot::ParallelTables({loads[i]}, 1) == 0) continue;
    options.tables.push_back(tables[i].definition.name);
    waiting.push_back(tables[i]);
  }
  if (waiting.empty()) return std::nullopt;
  const PipeSettings& settings = spec.settings;
  options.connections_max = std::min<size_t>(waiting.size(), settings.snapshot_parallel_tables) *
                            settings.initial_load_parallelism;
  PENSTOCK_ASSIGN(auto opened, snapshot::OpenConsistent(options, stop));
  if (!mysql::Reaches(*opened.position, checkpoint.position)) {
    return Fail(ErrorCode::kRetry, "the source does not show yet what it has logged up to {}",
                checkpoint.position.ToString());
  }
  const auto targets = NewLoadTargets(waiting);
  PENSTOCK_TRY(catalog.BeginSnapshot(pipe_id, targets, *opened.position));
  for (auto& table : tables) {
    const auto target = std::ranges::find(targets, table.id, &catalog::LoadTargetRecord::table_id);
    table.load_target = target == targets.end() ? "" : target->name;
  }
  PENSTOCK_TRY(MakeLoadTargets(destination, spec, tables, stop));
  return opened;
}

}  // namespace penstock::pipe
