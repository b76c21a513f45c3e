#include "pipe/whole_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "base/mutex.h"
#include "base/random.h"
#include "clickhouse/ddl.h"
#include "clickhouse/errors.h"
#include "clickhouse/shard_rows.h"
#include "clickhouse/table_writes.h"
#include "pipe/flow_parts.h"
#include "pipe/setup.h"
#include "pipe/target_tables.h"

namespace penstock::pipe {
namespace {

constexpr std::string_view kMark = "_resync_";
constexpr size_t kDigits = 16;

using Tables = std::vector<catalog::TableRecord>;

// Whatever its size: the table is ours.
Status Drop(clickhouse::Client& client, const std::string& name, std::stop_token stop) {
  return client
      .Query(fmt::format("DROP TABLE IF EXISTS {}{} SYNC", name,
                         clickhouse::OnCluster(client.cluster())),
             {{"max_table_size_to_drop", "0"}}, std::move(stop))
      .map([](auto) {});
}

// The target whose load such a name is for; "" for another name.
std::string_view TargetOfLoad(std::string_view name) {
  constexpr size_t kSuffix = kMark.size() + kDigits;
  if (name.size() <= kSuffix) return "";
  const std::string_view suffix = name.substr(name.size() - kSuffix);
  const bool ours = suffix.starts_with(kMark) &&
                    suffix.find_first_not_of("0123456789abcdef", kMark.size()) == suffix.npos;
  return ours ? name.substr(0, name.size() - kSuffix) : "";
}

// UUIDs of the database's tables, by name: of those named, or without names of all.
Result<std::map<std::string, std::string>> Uuids(clickhouse::Client& client,
                                                 const std::string& database,
                                                 const std::vector<std::string>& names,
                                                 std::stop_token stop) {
  std::string sql = "SELECT name, toString(uuid) FROM system.tables WHERE database = " +
                    clickhouse::QuoteString(database);
  for (size_t i = 0; i < names.size(); ++i) {
    sql += (i == 0 ? " AND name IN (" : ", ") + clickhouse::QuoteString(names[i]);
  }
  if (!names.empty()) sql += ")";
  PENSTOCK_ASSIGN(const auto rows, client.Rows(sql, std::move(stop)));
  std::map<std::string, std::string> uuids;
  for (const auto& row : rows) uuids.emplace(row.at(0), row.at(1));
  return uuids;
}

Status CheckStillEmpty(clickhouse::Client& client, const std::string& target,
                       std::stop_token stop) {
  PENSTOCK_ASSIGN(const auto rows,
                  client.Rows("SELECT 1 FROM " + target + " LIMIT 1", std::move(stop)));
  if (rows.empty()) return {};
  return Fail(
      Error{.code = ErrorCode::kNeedsUser,
            .message = fmt::format("the target table {} was empty and holds rows now", target),
            .origin = "destination",
            .remedy = "Empty it, then start the pipe"});
}

// Inserts by a name that is about to mean another table.
Status EndWritesWhereAllowed(clickhouse::Client& client, const std::string& database,
                             const std::string& table, std::stop_token stop) {
  Status ended = clickhouse::EndWrites(client, database, table, Clock::Real(), std::move(stop));
  if (!ended && ended.error().native_code == clickhouse::kErrAccessDenied) return {};
  return ended;
}

// An exchange that is sent twice undoes itself. So the UUIDs tell what is to be done, and the load
// counts as in place only when the other table is dropped: what is still on its way then finds none
// to exchange.
Status PutOneInPlace(clickhouse::Client& client, const std::string& database,
                     const catalog::TableRecord& table, TargetRows rows, std::stop_token stop) {
  const std::string target = clickhouse::QuoteTable(database, table.target);
  const std::string other = clickhouse::QuoteTable(database, table.load_target);
  const auto is_in_place = [&]() -> Result<bool> {
    PENSTOCK_ASSIGN(auto uuids, Uuids(client, database, {table.target, table.load_target}, stop));
    if (uuids[table.target] == table.loaded_uuid) return true;
    if (uuids[table.load_target] == table.loaded_uuid) return false;
    return Fail(
        Error{.code = ErrorCode::kNotFound,
              .message = fmt::format("the table {}, which the load has filled, is gone", other),
              .origin = "destination",
              .native_code = 0,
              .remedy = "Pause the pipe and resync all of it"});
  };
  PENSTOCK_ASSIGN(const bool was_in_place, is_in_place());
  if (!was_in_place) {
    PENSTOCK_ASSIGN(const auto uuids, Uuids(client, database, {table.target}, stop));
    const bool is_gone = rows == TargetRows::kReplaced && !uuids.contains(table.target);
    if (rows == TargetRows::kNone) PENSTOCK_TRY(CheckStillEmpty(client, target, stop));
    const std::string swap = fmt::format(
        fmt::runtime(is_gone ? "RENAME TABLE {} TO {}{}" : "EXCHANGE TABLES {} AND {}{}"), other,
        target, clickhouse::OnCluster(client.cluster()));
    PENSTOCK_TRY(EndWritesWhereAllowed(client, database, table.load_target, stop));
    PENSTOCK_TRY(EndWritesWhereAllowed(client, database, table.target, stop));
    PENSTOCK_TRY(client.Query(swap, {}, stop));
  }
  PENSTOCK_ASSIGN(const bool in_place, is_in_place());
  if (!in_place) return Fail(ErrorCode::kRetry, "{} was not exchanged", target);
  PENSTOCK_TRY(Drop(client, other, stop));
  return is_in_place().map([](bool) {});
}

clickhouse::Shard ShardOf(const model::TableName& source) {
  return {.schema = source.schema, .table = source.table};
}

struct GoingTarget {
  const catalog::RemovalRecord* removal = nullptr;
  std::vector<clickhouse::Shard> rows_of = {};  // whose rows go with it, or alone
};
using ByTarget = std::map<std::string, GoingTarget, std::less<>>;

// Not where the server says no for a reason that does not pass by itself.
bool IsWorthRepeating(const Error& error) {
  const bool refused = error.native_code != 0 && !clickhouse::IsKnownException(error.native_code);
  return !refused && (error.code == ErrorCode::kCancelled || Passes(error.code));
}

using Stays = std::map<std::string, std::string, std::less<>>;  // why, by table

// One that cannot be read may hold anything: an error that is not worth repeating.
Result<bool> HoldsNothingElse(clickhouse::Client& client, const std::string& name,
                              const GoingTarget& going, std::stop_token stop) {
  const std::string those =
      going.rows_of.empty() ? "" : " WHERE NOT " + clickhouse::IsOfAny(going.rows_of);
  return client.Rows(fmt::format("SELECT 1 FROM {}{} LIMIT 1", name, those), std::move(stop))
      .map([](const auto& others) { return others.empty(); });
}

// Those tables of the database that are to be dropped with such targets. Adds to what `stays`.
Result<std::vector<std::string>> FindRemoved(clickhouse::Client& client,
                                             const std::string& database, const ByTarget& removals,
                                             Stays& stays, std::stop_token stop) {
  std::vector<std::string> found;
  if (removals.empty()) return found;
  PENSTOCK_ASSIGN(const auto uuids, Uuids(client, database, {}, stop));
  for (const auto& [name, uuid] : uuids) {
    const auto target = removals.find(name);
    bool goes = target != removals.end() && target->second.removal->drop_target;
    if (goes && target->second.removal->only_if_empty) {
      const auto alone =
          HoldsNothingElse(client, clickhouse::QuoteTable(database, name), target->second, stop);
      if (!alone && IsWorthRepeating(alone.error())) return Fail(alone.error());
      if (!alone) stays.emplace(name, "it may hold rows of others: " + alone.error().ToString());
      goes = alone && *alone;
    }
    if (goes || removals.contains(TargetOfLoad(name))) found.push_back(name);
  }
  return found;
}

Status RemoveRows(clickhouse::Client& client, const std::string& database,
                  const catalog::RemovalRecord& removal, std::stop_token stop) {
  PENSTOCK_ASSIGN(const auto existing,
                  ReadExistingTables(client, database, {removal.target}, stop));
  if (existing.empty()) return {};
  // What is carried over into a load's table (kept_rows.h) is of no shard alone.
  if (!TargetOfLoad(removal.target).empty()) {
    PENSTOCK_TRY(clickhouse::EndWrites(client, database, removal.target, Clock::Real(), stop));
  }
  return clickhouse::DeleteShard(client, database, removal.target, ShardOf(removal.rows_of),
                                 Clock::Real(), std::move(stop));
}

// The table is not to be dropped: others have rows in it.
std::string RowsStay(const std::string& database, const catalog::RemovalRecord& removal,
                     const Error& why) {
  return fmt::format(
      "the rows of {} stay in the table {}.{}, which others share: {}. To delete them by hand: "
      "ALTER TABLE {} DELETE WHERE {}",
      removal.rows_of.ToString(), database, removal.target, why.ToString(),
      clickhouse::QuoteTable(database, removal.target),
      clickhouse::IsOfShard(ShardOf(removal.rows_of)));
}

// Where the tables are there still.
Status RemoveRows(clickhouse::Client& client, const std::string& database,
                  const std::vector<const catalog::RemovalRecord*>& removals,
                  std::vector<std::string>& lines, std::stop_token stop) {
  for (const auto* removal : removals) {
    Status removed = RemoveRows(client, database, *removal, stop);
    if (!removed && IsWorthRepeating(removed.error())) return removed;
    if (!removed) lines.push_back(RowsStay(database, *removal, removed.error()));
  }
  return {};
}

}  // namespace

bool IsWhole(const catalog::TableRecord& table) {
  return table.load_target.empty() ? table.partitions_planned : !table.loaded_uuid.empty();
}

std::vector<catalog::LoadTargetRecord> NewLoadTargets(const Tables& tables) {
  std::string digits = RandomUuid();
  std::erase(digits, '-');
  digits.erase(0, digits.size() - kDigits);
  std::vector<catalog::LoadTargetRecord> targets;
  for (const auto& table : tables) {
    targets.push_back({.table_id = table.id,
                       .name = fmt::format("{}{}{}", table.target, kMark, digits),
                       .uuid = {}});
  }
  return targets;
}

DdlStatement LoadTargetDdl(clickhouse::TableSpec target, const std::string& load_target,
                           bool as_before) {
  const std::string before = clickhouse::QuoteTable(target.database, target.table);
  target.table = load_target;
  const std::string sql = as_before
                              ? fmt::format("CREATE TABLE IF NOT EXISTS {}{} AS {}",
                                            clickhouse::QuoteTable(target.database, load_target),
                                            clickhouse::OnCluster(target.cluster), before)
                              : clickhouse::CreateTable(target);
  return {.sql = sql, .settings = clickhouse::CreateTableSettings(target)};
}

Status MakeLoadTargets(const clickhouse::Endpoint& destination, const PipeSpec& spec,
                       const Tables& tables, std::stop_token stop) {
  clickhouse::Client client(destination);
  const auto is_filled = [](const auto& table) {
    return !table.load_target.empty() && table.loaded_uuid.empty();
  };
  Tables beside = tables;
  std::erase_if(beside, std::not_fn(is_filled));
  PENSTOCK_TRY(DropLoadTargets(client, spec.database, beside, stop));
  Definitions definitions;
  std::map<std::string, std::string> load_targets;
  std::set<std::string> remapped;
  for (const auto& table : tables) {
    if (!is_filled(table)) continue;
    definitions.emplace(table.definition.name, table.definition);
    load_targets[table.target] = table.load_target;
    if (table.remapped) remapped.insert(table.target);
  }
  PENSTOCK_ASSIGN(const auto targets, TargetTables(spec, definitions));
  std::vector<DdlStatement> statements;
  for (const auto& target : targets) {
    // The target may be of an earlier definition, or mapping.
    PENSTOCK_ASSIGN(const bool has_shape, HasShape(client, target, stop));
    const bool as_before = has_shape && !remapped.contains(target.table);
    statements.push_back(LoadTargetDdl(target, load_targets.at(target.table), as_before));
  }
  return RunStatements(destination, statements, std::move(stop));
}

Status DropLoadTargets(clickhouse::Client& client, const std::string& database,
                       const Tables& tables, std::stop_token stop) {
  std::set<std::string_view> targets;
  for (const auto& table : tables) targets.insert(table.target);
  PENSTOCK_ASSIGN(const auto uuids, Uuids(client, database, {}, stop));
  for (const auto& [name, uuid] : uuids) {
    if (targets.contains(TargetOfLoad(name)))
      PENSTOCK_TRY(Drop(client, clickhouse::QuoteTable(database, name), stop));
  }
  return {};
}

Result<std::vector<std::string>> DropRemoved(const clickhouse::Endpoint& destination,
                                             const std::string& database,
                                             const std::vector<catalog::RemovalRecord>& removals,
                                             const TakenTargets& kept, std::stop_token stop) {
  Stays stays;
  ByTarget by_target;
  std::vector<const catalog::RemovalRecord*> rows;
  std::vector<std::string> lines;
  clickhouse::Client client(destination);
  for (const auto& removal : removals) {
    if (const auto why = kept.find(removal.target); why != kept.end()) {
      if (!removal.drop_target) continue;
      lines.push_back(fmt::format("the table {}.{} is left as it is: {}", database, removal.target,
                                  why->second.message));
    } else if (removal.rows_of == model::TableName()) {
      by_target.emplace(removal.target, GoingTarget{.removal = &removal});
    } else {
      rows.push_back(&removal);
    }
  }
  for (const auto* removal : rows) {
    const auto going = by_target.find(removal->target);
    if (going != by_target.end()) going->second.rows_of.push_back(ShardOf(removal->rows_of));
  }
  PENSTOCK_ASSIGN(auto found, FindRemoved(client, database, by_target, stays, stop));
  Mutex mutex;
  PENSTOCK_TRY(DoSeveral(
      destination, found.size(),
      [&](clickhouse::Client& each, size_t number, std::stop_token each_stop) -> Status {
        Status dropped =
            Drop(each, clickhouse::QuoteTable(database, found[number]), std::move(each_stop));
        if (dropped || IsWorthRepeating(dropped.error())) return dropped;
        MutexLock lock(mutex);
        stays.emplace(found[number], dropped.error().ToString());
        return {};
      },
      stop));
  PENSTOCK_ASSIGN(found, FindRemoved(client, database, by_target, stays, stop));
  std::erase_if(found, [&](const std::string& name) { return stays.contains(name); });
  if (!found.empty()) return Fail(ErrorCode::kRetry, "{} was made again", found[0]);
  for (const auto& [name, why] : stays) {
    lines.push_back(fmt::format("what is left of the table {}.{} is to be dropped by hand: {}",
                                database, name, why));
  }
  PENSTOCK_TRY(RemoveRows(client, database, rows, lines, std::move(stop)));
  return lines;
}

Result<std::vector<catalog::LoadTargetRecord>> LoadedTargets(clickhouse::Client& client,
                                                             const std::string& database,
                                                             const Tables& tables,
                                                             std::stop_token stop) {
  PENSTOCK_ASSIGN(auto uuids, Uuids(client, database, {}, std::move(stop)));
  std::vector<catalog::LoadTargetRecord> targets;
  for (const auto& table : tables) {
    if (!table.loaded_uuid.empty()) continue;  // its names may have been exchanged since
    targets.push_back(
        {.table_id = table.id, .name = table.load_target, .uuid = uuids[table.load_target]});
    if (targets.back().uuid.empty()) {
      return Fail(ErrorCode::kRetry, "the table {}, which the load has filled, is gone",
                  table.load_target);
    }
  }
  return targets;
}

Status PutInPlace(const clickhouse::Endpoint& destination, const std::string& database,
                  const Tables& tables, TargetRows rows, std::stop_token stop) {
  std::map<std::string, const catalog::TableRecord*> by_target;
  for (const auto& table : tables) by_target.emplace(table.target, &table);
  std::vector<const catalog::TableRecord*> each_once;
  each_once.reserve(by_target.size());
  for (const auto& [target, table] : by_target) each_once.push_back(table);
  PENSTOCK_TRY(DoSeveral(
      destination, each_once.size(),
      [&](clickhouse::Client& client, size_t number, std::stop_token each) {
        return PutOneInPlace(client, database, *each_once[number], rows, std::move(each));
      },
      stop));
  // What a process that died had asked for may have been made after it was looked for.
  clickhouse::Client client(destination);
  return DropLoadTargets(client, database, tables, stop);
}

Result<Reload> PrepareLoadAgain(clickhouse::Client& client, const std::string& database,
                                const Tables& all, std::stop_token stop) {
  PENSTOCK_ASSIGN(auto uuids, Uuids(client, database, {}, std::move(stop)));
  Reload reload;
  for (const catalog::TableRecord& record : all) {
    if (record.load_target.empty()) continue;
    catalog::TableRecord& table = reload.tables.emplace_back(record);
    const bool in_place = !table.loaded_uuid.empty() && uuids[table.target] == table.loaded_uuid;
    table.reload_wanted = table.reload_wanted || in_place;
    table.load_target.clear();
    table.partitions_planned = false;
  }
  return reload;
}

}  // namespace penstock::pipe
