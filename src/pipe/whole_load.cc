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

// `as_before`: like the target as it is there now, with what a user has changed of it.
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

Error NoSuchTable(const model::TableName& name) {
  return {.code = ErrorCode::kNeedsUser,
          .message = fmt::format("table {} does not exist", name.ToString()),
          .origin = "source",
          .native_code = 0,
          .remedy = "Create it and resync it"};
}

Error OtherShape(const std::string& target) {
  return {.code = ErrorCode::kNeedsUser,
          .message = fmt::format("the Null table {} has not the columns of its source", target),
          .origin = "destination",
          .native_code = 0,
          .remedy = "Drop it, make it anew (check prints the statement), and resync it"};
}

// What a table is to be loaded into, unless it cannot be now.
Result<clickhouse::TableSpec> TargetNow(const PipeSpec& spec, size_t place,
                                        const model::Table* definition,
                                        const std::map<size_t, Error>& refused) {
  if (const auto why = refused.find(place); why != refused.end()) return Fail(why->second);
  const TableMapping& mapping = spec.tables.at(place);
  if (definition == nullptr) return Fail(NoSuchTable(mapping.source));
  return TargetTable(spec, mapping, *definition);
}

// Those that are to be loaded anew, by their places.
std::vector<size_t> Wanted(const Tables& all) {
  std::vector<size_t> places;
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].reload_wanted) places.push_back(i);
  }
  return places;
}

std::vector<model::TableName> NamesOf(const Tables& tables) {
  std::vector<model::TableName> names;
  for (const auto& table : tables) names.push_back(table.definition.name);
  return names;
}

// One that cannot be loaded now: the others are. Nobody asked whether what it had is whole.
void SetAside(catalog::TableRecord& table, const model::Position& position, UnixMicros now,
              const Error& why) {
  table.load_target.clear();
  table.keeps_target_fresh = false;
  table.partitions_planned = false;
  if (table.quarantine) {
    table.quarantine->reason = why.ToString();
    table.quarantine->gone = false;
  } else {
    table.quarantine = {.position = position, .reason = why.ToString(), .since = now};
  }
}

// What is held of prepared XA transactions is of the tables that were followed then.
std::optional<catalog::Checkpoint> HeldFor(const Tables& tables,
                                           std::optional<catalog::Checkpoint> checkpoint) {
  const auto is_new = [](const catalog::TableRecord& table) { return table.ddl.empty(); };
  if (checkpoint && std::ranges::any_of(tables, is_new)) checkpoint->prepared.clear();
  return checkpoint;
}

// Collations tell only of columns that are yet to be added, and not every record has them.
bool IsAlike(model::Table one, model::Table other) {
  for (model::Table* table : {&one, &other}) {
    table->collation.clear();
    for (model::Column& column : table->columns) column.collation.clear();
  }
  return one == other;
}

// The first load of a table that was added to its pipe.
void BeginFirst(catalog::TableRecord& table, const PipeSpec& spec, const model::Table& definition,
                const clickhouse::TableSpec& target, const model::Position& position) {
  table.definition = definition;
  table.ddl = clickhouse::CreateTable(target);
  table.partitions_planned = spec.settings.mode == ReplicationMode::kCdcOnly;
  table.start = position;
  table.quarantine.reset();
}

Status MakeTarget(clickhouse::Client& client, const clickhouse::TableSpec& target,
                  std::stop_token stop) {
  PENSTOCK_ASSIGN(const auto existing,
                  ReadExistingTables(client, target.database, {target.table}, stop));
  if (existing.empty()) {
    PENSTOCK_TRY(client.Query(clickhouse::CreateTable(target),
                              clickhouse::CreateTableSettings(target), stop));
  }
  return CheckTargets(client, {target}, std::move(stop));
}

using ByTarget = std::map<std::string, const catalog::RemovalRecord*, std::less<>>;

// Those tables of the database that are to be dropped with such targets.
Result<std::vector<std::string>> FindRemoved(clickhouse::Client& client,
                                             const std::string& database, const ByTarget& removals,
                                             std::stop_token stop) {
  std::vector<std::string> found;
  if (removals.empty()) return found;
  PENSTOCK_ASSIGN(const auto uuids, Uuids(client, database, {}, stop));
  for (const auto& [name, uuid] : uuids) {
    const auto target = removals.find(name);
    bool goes = target != removals.end() && target->second->drop_target;
    if (goes && target->second->only_if_empty) {
      PENSTOCK_ASSIGN(goes, IsEmpty(client, clickhouse::QuoteTable(database, name), {}, stop));
    }
    if (goes || removals.contains(TargetOfLoad(name))) found.push_back(name);
  }
  return found;
}

// Not where the server says no for a reason that does not pass by itself.
bool IsWorthRepeating(const Error& error) {
  const bool refused = error.native_code != 0 && !clickhouse::IsKnownException(error.native_code);
  return !refused && (error.code == ErrorCode::kCancelled || Passes(error.code));
}

}  // namespace

bool IsWhole(const catalog::TableRecord& table) {
  return table.load_target.empty() ? table.partitions_planned : !table.loaded_uuid.empty();
}

std::vector<catalog::LoadTargetRecord> NewLoadTargets(const Tables& tables) {
  std::vector<catalog::LoadTargetRecord> targets;
  for (const auto& table : tables) {
    std::string digits = RandomUuid();
    std::erase(digits, '-');
    targets.push_back(
        {.table_id = table.id,
         .name = fmt::format("{}{}{}", table.target, kMark, digits.substr(digits.size() - kDigits)),
         .uuid = {}});
  }
  return targets;
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
  std::vector<DdlStatement> statements;
  for (size_t i = 0; i < tables.size(); ++i) {
    const catalog::TableRecord& table = tables[i];
    if (!is_filled(table)) continue;
    PENSTOCK_ASSIGN(const auto target, TargetTable(spec, spec.tables.at(i), table.definition));
    // The target may be of an earlier definition, or mapping.
    PENSTOCK_ASSIGN(const bool as_before, HasShape(client, target, stop));
    statements.push_back(LoadTargetDdl(target, table.load_target, as_before && !table.remapped));
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
                                             const TakenTargets& taken, std::stop_token stop) {
  std::map<std::string, std::string, std::less<>> stays;  // by table
  ByTarget by_target;
  for (const auto& removal : removals) {
    if (removal.url.empty() || removal.url == destination.url) {
      if (taken.contains(removal.target)) continue;
      by_target.emplace(removal.target, &removal);
    } else {
      stays.emplace(removal.target, fmt::format("it is at {}", removal.url));
    }
  }
  clickhouse::Client client(destination);
  PENSTOCK_ASSIGN(auto found, FindRemoved(client, database, by_target, stop));
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
  PENSTOCK_ASSIGN(found, FindRemoved(client, database, by_target, stop));
  std::erase_if(found, [&](const std::string& name) { return stays.contains(name); });
  if (!found.empty()) return Fail(ErrorCode::kRetry, "{} was made again", found[0]);
  std::vector<std::string> lines;
  lines.reserve(stays.size());
  for (const auto& [name, why] : stays) {
    lines.push_back(fmt::format("what is left of the table {}.{} is to be dropped by hand: {}",
                                database, name, why));
  }
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
  PENSTOCK_TRY(DoSeveral(
      destination, tables.size(),
      [&](clickhouse::Client& client, size_t number, std::stop_token each) {
        return PutOneInPlace(client, database, tables[number], rows, std::move(each));
      },
      stop));
  // What a process that died had asked for may have been made after it was looked for.
  clickhouse::Client client(destination);
  return DropLoadTargets(client, database, tables, stop);
}

Result<Reload> PrepareReload(const clickhouse::Endpoint& destination, const PipeSpec& spec,
                             const Tables& all, const std::map<size_t, Error>& refused,
                             const std::optional<catalog::Checkpoint>& checkpoint, Clock& clock,
                             std::stop_token stop) {
  Reload reload;
  Tables ours;  // but for those that are refused
  const std::vector<size_t> mappings = Wanted(all);
  for (const size_t i : mappings) {
    reload.tables.push_back(all[i]);
    if (!refused.contains(i)) ours.push_back(all[i]);
  }
  const auto names = NamesOf(reload.tables);
  PENSTOCK_ASSIGN(auto source,
                  ReadSourceNow(spec, names, HeldFor(reload.tables, checkpoint), clock, stop));
  const model::Position reached = checkpoint ? checkpoint->position : source.position;
  clickhouse::Client client(destination);
  PENSTOCK_TRY(DropLoadTargets(client, spec.database, ours, stop));
  std::vector<DdlStatement> statements;
  const auto load_targets = NewLoadTargets(reload.tables);
  for (size_t i = 0; i < reload.tables.size(); ++i) {
    catalog::TableRecord& table = reload.tables[i];
    table.reload_wanted = false;
    const auto definition = source.definitions.find(table.definition.name);
    const bool exists = definition != source.definitions.end();
    const auto target =
        TargetNow(spec, mappings[i], exists ? &definition->second : nullptr, refused);
    if (!target) {
      SetAside(table, reached, clock.Wall(), target.error());
      table.quarantine->gone = !exists;
      continue;
    }
    if (table.ddl.empty()) {
      Status begun = MakeTarget(client, *target, stop);
      if (!begun && !clickhouse::ConcernsOneTable(begun.error())) return Fail(begun.error());
      if (!begun) SetAside(table, reached, clock.Wall(), begun.error());
      if (begun) BeginFirst(table, spec, definition->second, *target, source.position);
      continue;
    }
    table.partitions_planned = false;
    PENSTOCK_ASSIGN(const bool has_shape, HasShape(client, *target, stop));
    if (target->engine == clickhouse::Engine::kNull && !has_shape) {
      SetAside(table, reached, clock.Wall(), OtherShape(target->table));
      continue;
    }
    const bool as_before = has_shape && !table.remapped;
    const bool was_followed = table.load_target.empty() || table.keeps_target_fresh;
    table.keeps_target_fresh = as_before && IsAlike(definition->second, table.definition) &&
                               checkpoint && !table.quarantine && was_followed &&
                               !clickhouse::KeepsEveryChange(target->engine);
    table.definition = std::move(definition->second);
    table.ddl = clickhouse::CreateTable(*target);
    table.load_target = load_targets[i].name;
    table.quarantine.reset();
    // One that is followed goes on being so: what is written twice ends the same.
    table.start_part.reset();
    if (!checkpoint) table.start.reset();
    if (checkpoint && !table.keeps_target_fresh) table.start = source.position;
    if (target->engine == clickhouse::Engine::kNull) {
      table.load_target.clear();  // the views are on the target
    } else {
      statements.push_back(LoadTargetDdl(*target, table.load_target, as_before));
    }
  }
  PENSTOCK_TRY(RunStatements(destination, statements, stop));
  if (!checkpoint) {
    reload.checkpoint = {.position = std::move(source.position),
                         .versions_reserved_end = kFirstStreamVersion};
  }
  return reload;
}

Result<Reload> PrepareWholeReload(const PipeSpec& spec, const Tables& all, std::stop_token stop) {
  Reload reload;
  const std::vector<size_t> mappings = Wanted(all);
  for (const size_t i : mappings) reload.tables.push_back(all[i]);
  PENSTOCK_ASSIGN(const auto definitions,
                  ReadDefinitionsNow(spec, NamesOf(reload.tables), std::move(stop)));
  for (size_t i = 0; i < mappings.size(); ++i) {
    catalog::TableRecord& table = reload.tables[i];
    table.definition = definitions.at(table.definition.name);
    PENSTOCK_ASSIGN(const auto target,
                    TargetTable(spec, spec.tables.at(mappings[i]), table.definition));
    table.ddl = clickhouse::CreateTable(target);
    table.load_target.clear();
    table.partitions_planned = false;
  }
  return reload;
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
