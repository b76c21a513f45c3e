#include "pipe/shards.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <utility>

#include "pipe/table_patterns.h"
#include "pipe/target_owners.h"

namespace penstock::pipe {
namespace {

Failure NeedsUser(std::string message, std::string remedy) {
  return Fail(Error{.code = ErrorCode::kNeedsUser,
                    .message = std::move(message),
                    .origin = {},
                    .native_code = 0,
                    .remedy = std::move(remedy)});
}

// Of names that fit the pattern, one target may be that of several.
bool MayBeMany(const TableMapping& pattern) {
  const auto varies_without = [&](const std::string& name, std::string_view place) {
    return IsPattern({name, {}}) && pattern.target_table.find(place) == std::string::npos;
  };
  return varies_without(pattern.source.schema, "{schema}") ||
         varies_without(pattern.source.table, "{table}");
}

// Whether a pattern may make another table, that is not there yet, with the target of this one.
bool MayGetOthers(const PipeSpec& spec, const TableMapping& table) {
  for (size_t i = 0; i < spec.mappings.size(); ++i) {
    const TableMapping& pattern = spec.mappings[i];
    const bool may_share = IsPattern(pattern.source) && pattern.engine == table.engine;
    if (!may_share) continue;
    if (table.pattern == i) {
      if (MayBeMany(pattern)) return true;
      continue;
    }
    const auto [any, only] = MakersOf(pattern, table);
    if (any && (!only || std::ranges::count(spec.tables, *only, &TableMapping::source) == 0)) {
      return true;
    }
  }
  return false;
}

bool TellsSource(const clickhouse::TableSpec& target) {
  return std::ranges::count(target.columns, clickhouse::kSourceTableColumn,
                            &clickhouse::DestinationColumn::name) != 0;
}

Failure Differs(const clickhouse::TableSpec& target, std::string_view what) {
  return NeedsUser(
      fmt::format("the tables that share the target {} differ: {}", target.table, what),
      "Make them alike, or leave columns out (excludedColumns), or choose another targetTable");
}

}  // namespace

void MarkShards(PipeSpec& spec, size_t first, const std::set<model::TableName>& refused) {
  std::map<std::string, bool> before;
  std::map<std::string, int> among;
  for (size_t i = 0; i < spec.tables.size(); ++i) {
    const TableMapping& table = spec.tables[i];
    if (i < first && !refused.contains(table.source))
      before.emplace(table.target_table, table.tells_source);
    if (i >= first) ++among[table.target_table];
  }
  for (size_t i = first; i < spec.tables.size(); ++i) {
    TableMapping& table = spec.tables[i];
    if (table.engine != clickhouse::Engine::kReplacingMergeTree) continue;
    const auto other = before.find(table.target_table);
    const bool may_share = among[table.target_table] > 1 || MayGetOthers(spec, table);
    table.tells_source = other == before.end() ? may_share : other->second;
  }
}

Status CheckMayShare(const TableMapping& one, const TableMapping& other) {
  const std::string both =
      fmt::format("{} and {} are both mapped to the target table {}", one.source.ToString(),
                  other.source.ToString(), one.target_table);
  const bool replaces = one.engine == clickhouse::Engine::kReplacingMergeTree &&
                        other.engine == clickhouse::Engine::kReplacingMergeTree;
  if (replaces && one.tells_source && other.tells_source) return {};
  if (!replaces) {
    return NeedsUser(both + ", which only tables of ReplacingMergeTree may share",
                     "Give each source table a target of its own (a pattern's targetTable holds "
                     "{schema} and {table}), and read them through a Merge table");
  }
  return NeedsUser(
      fmt::format("{}, which was made for one of them alone: its rows do not tell their source",
                  both),
      "Take the table out of the pipe (remove-table), and add it with a target of its own; or "
      "remove both with --drop, then add both at once");
}

Status AddShard(const clickhouse::TableSpec& shard, clickhouse::TableSpec& target) {
  if (!TellsSource(shard) || !TellsSource(target)) {
    return Differs(target, "it was made for one of them alone");
  }
  if (shard.order_by != target.order_by) {
    return Differs(target,
                   fmt::format("their sorting keys are ({}) and ({})",
                               fmt::join(target.order_by, ", "), fmt::join(shard.order_by, ", ")));
  }
  if (shard.engine != target.engine) return Differs(target, "their engines are not the same");
  if (shard.partition_by != target.partition_by || shard.settings != target.settings) {
    return Differs(target, "their partitionBy or tableSettings are not the same");
  }
  for (const auto& column : shard.columns) {
    const auto there =
        std::ranges::find(target.columns, column.name, &clickhouse::DestinationColumn::name);
    if (there == target.columns.end()) {
      target.columns.push_back(column);
    } else if (there->type != column.type) {
      return Differs(
          target, fmt::format("the column {} is {} and {}", column.name, there->type, column.type));
    }
  }
  return {};
}

namespace {

// The rows of a shard that goes. Without `drop` they stay; but a load beside the target, which is
// not whole, would have a part of them take their place. One of the others may have been given all
// of the rows (kept_rows.h).
void RemoveRows(const std::vector<catalog::TableRecord>& all, const catalog::TableRecord& shard,
                bool drop, const std::string& url, std::vector<catalog::RemovalRecord>& removals) {
  const auto add = [&](const std::string& table) {
    removals.push_back({.url = url, .target = table, .rows_of = shard.definition.name});
  };
  if (drop) add(shard.target);
  const bool is_beside = !shard.load_target.empty() && shard.loaded_uuid.empty();
  const auto load = std::ranges::find_if(all, [&](const auto& table) {
    return table.target == shard.target && !table.load_target.empty();
  });
  if (load != all.end() && (drop || is_beside)) add(load->load_target);
}

}  // namespace

std::vector<catalog::RemovalRecord> RemovalsOf(const std::vector<catalog::TableRecord>& all,
                                               const std::vector<GoingTable>& going,
                                               const std::string& url) {
  std::set<std::string> stay;
  std::set<size_t> places;
  for (const auto& one : going) places.insert(one.table);
  for (size_t i = 0; i < all.size(); ++i) {
    if (!places.contains(i) && !all[i].ddl.empty()) stay.insert(all[i].target);
  }
  std::vector<catalog::RemovalRecord> removals;
  std::map<std::string, catalog::RemovalRecord> whole;  // by target
  for (const auto& [place, drop, may_have_left] : going) {
    const catalog::TableRecord& table = all.at(place);
    if (!MayHaveTarget(table, all)) continue;
    if (stay.contains(table.target)) {
      RemoveRows(all, table, drop, url, removals);
      continue;
    }
    const bool only_if_empty = may_have_left || table.ddl.empty();
    const auto [of_target, is_new] =
        whole.emplace(table.target, catalog::RemovalRecord{.url = url,
                                                           .target = table.target,
                                                           .drop_target = drop,
                                                           .only_if_empty = only_if_empty});
    of_target->second.drop_target &= drop;
    of_target->second.only_if_empty &= only_if_empty;
  }
  for (const auto& [place, drop, may_have_left] : going) {
    const auto of_target = whole.find(all[place].target);
    if (of_target == whole.end() || !drop || all[place].ddl.empty()) continue;
    const bool stays = may_have_left || !of_target->second.drop_target;
    if (stays) RemoveRows(all, all[place], true, url, removals);
  }
  for (auto& [target, removal] : whole) removals.push_back(std::move(removal));
  return removals;
}

std::set<std::string> BrokenTargets(const std::vector<catalog::TableRecord>& all) {
  std::set<std::string> broken;
  for (const auto& table : all) {
    const bool was_set_up = !table.ddl.empty();
    const bool is_whole = !table.loaded_uuid.empty();
    const bool is_loaded = !table.load_target.empty();
    const bool is_carried_over = !is_loaded && table.quarantine && table.quarantine->gone;
    if (was_set_up && !is_whole && !is_carried_over && (!is_loaded || table.quarantine)) {
      broken.insert(table.target);
    }
  }
  return broken;
}

std::vector<catalog::LoadTargetRecord> GivenUp(const std::vector<catalog::TableRecord>& all,
                                               const std::set<std::string>& broken) {
  std::vector<catalog::LoadTargetRecord> given_up;
  for (const auto& table : all) {
    if (table.loaded_uuid.empty() || !broken.contains(table.target)) continue;
    given_up.push_back({.table_id = table.id, .name = table.load_target, .uuid = {}});
  }
  return given_up;
}

}  // namespace penstock::pipe
