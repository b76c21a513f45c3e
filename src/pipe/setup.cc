#include "pipe/setup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "mysql/wire/definitions.h"
#include "mysql/wire/errors.h"
#include "mysql/wire/start_position.h"
#include "pipe/shards.h"

namespace penstock::pipe {
namespace {

constexpr int kReadsMax = 60;
constexpr int kLockAttemptsMax = 4;

Failure NeedsUser(std::string_view origin, std::string message, std::string remedy) {
  return Fail(Error{.code = ErrorCode::kNeedsUser,
                    .message = std::move(message),
                    .origin = std::string(origin),
                    .native_code = 0,
                    .remedy = std::move(remedy)});
}

Result<Definitions> ReadAll(mysql::Connection& source, const std::vector<model::TableName>& names,
                            std::stop_token stop) {
  PENSTOCK_ASSIGN(auto definitions, mysql::ReadDefinitions(source, names, std::move(stop)));
  for (const auto& name : names) {
    if (!definitions.contains(name)) {
      return NeedsUser("source", fmt::format("table {} does not exist", name.ToString()),
                       "Create it, or take it out of tableMappings");
    }
  }
  return definitions;
}

using Held = std::vector<model::PreparedTransaction>;

// Rows of a prepared XA transaction are in the log before the start position, and no SELECT sees
// them. Answers the ids of those that are open, but for those whose rows the stream holds.
Result<std::vector<std::string>> PreparedXa(mysql::Connection& source, const Held& held,
                                            std::stop_token stop) {
  const auto prepared = mysql::PreparedXaTransactions(source, std::move(stop));
  std::vector<std::string> ids;
  // Without the privilege to ask nothing is known; `check` warns of it.
  if (!prepared && prepared.error().code == ErrorCode::kNeedsUser) return ids;
  if (!prepared) return Fail(prepared.error());
  for (const auto& one : *prepared) {
    if (std::ranges::count(held, one.xid, &model::PreparedTransaction::xid) == 0) {
      ids.push_back(one.id);
    }
  }
  return ids;
}

// Where the position needs a global read lock, and long statements do not let it through, it is
// tried a few times only: writers wait behind each try.
Result<model::Position> ReadPosition(mysql::Connection& source, model::Mechanism mechanism,
                                     Clock& clock, std::stop_token stop) {
  for (int attempt = 1;; ++attempt) {
    auto position = mysql::ReadStartPosition(source, mechanism, stop);
    if (position || position.error().native_code != mysql::kErrLockWaitTimeout) return position;
    if (attempt == kLockAttemptsMax) {
      return NeedsUser("source", position.error().ToString(),
                       "Grant BACKUP_ADMIN ON *.* and SELECT ON performance_schema.log_status, "
                       "which need no lock, or end the long statements; then start the pipe");
    }
    if (!clock.Wait(std::chrono::seconds(2), stop)) return Fail(ErrorCode::kCancelled, "stopped");
  }
}

Result<model::Position> StartPosition(mysql::Connection& source, const PipeSettings& settings,
                                      model::Mechanism mechanism, Clock& clock,
                                      std::stop_token stop) {
  if (!settings.start_position) return ReadPosition(source, mechanism, clock, std::move(stop));
  return GivenStart(source, *settings.start_position, mechanism, std::move(stop));
}

// What must pass before a start position fits.
Error NotYet(std::string message, std::string remedy) {
  return Error{.code = ErrorCode::kConflict,
               .message = std::move(message),
               .origin = "source",
               .native_code = 0,
               .remedy = std::move(remedy)};
}

Failure OpenXa(const std::vector<std::string>& ids) {
  return Fail(NotYet(fmt::format("prepared XA transactions are open: {}", fmt::join(ids, ", ")),
                     "Commit them or roll them back (XA RECOVER lists them), then start the pipe"));
}

using ReadTables = std::function<Result<Definitions>()>;
using ReadStart = std::function<Result<model::Position>()>;

// Definitions and the position they are valid at; kConflict when it is not the time. XA is looked
// at first, since a position may cost a lock; and again, for those prepared before the position.
Result<SourceState> ReadOnce(mysql::Connection& source, const Held& held,
                             const ReadTables& read_tables, const ReadStart& read_start,
                             std::stop_token stop) {
  PENSTOCK_ASSIGN(const auto open, PreparedXa(source, held, stop));
  if (!open.empty()) return OpenXa(open);
  PENSTOCK_ASSIGN(const auto before, read_tables());
  PENSTOCK_ASSIGN(auto position, read_start());
  PENSTOCK_ASSIGN(const auto prepared, PreparedXa(source, held, stop));
  if (!prepared.empty()) return OpenXa(prepared);
  PENSTOCK_ASSIGN(auto after, read_tables());
  if (before != after) {
    return Fail(NotYet("the definitions of the source tables keep changing", ""));
  }
  return SourceState{.definitions = std::move(after), .position = std::move(position)};
}

std::vector<model::TableName> SourceTables(const PipeSpec& spec) {
  std::vector<model::TableName> names;
  for (const TableMapping& mapping : spec.tables) names.push_back(mapping.source);
  return names;
}

// Waits for the time.
Result<SourceState> ReadSource(const PipeSpec& spec, Clock& clock,
                               const std::function<void(const Error&)>& on_wait,
                               std::stop_token stop) {
  const std::vector<model::TableName> tables = SourceTables(spec);
  if (spec.settings.mode == ReplicationMode::kSnapshot) {
    PENSTOCK_ASSIGN(auto definitions, ReadDefinitionsNow(spec, tables, stop));
    return SourceState{.definitions = std::move(definitions), .position = {}};
  }
  PENSTOCK_ASSIGN(auto source, mysql::Connection::Open(spec.source, spec.name + " setup", stop));
  PENSTOCK_ASSIGN(const auto mechanism,
                  mysql::ChooseMechanism(source, spec.settings.MechanismWanted(), stop));
  const auto start = [&] { return StartPosition(source, spec.settings, mechanism, clock, stop); };
  const auto read_tables = [&] { return ReadAll(source, tables, stop); };
  for (int i = 1;; ++i) {
    auto state = ReadOnce(source, {}, read_tables, start, stop);
    if (state || state.error().code != ErrorCode::kConflict) return state;
    Error waits_for = std::move(state).error();
    waits_for.code = waits_for.remedy.empty() ? ErrorCode::kRetry : ErrorCode::kNeedsUser;
    if (i == kReadsMax) return Fail(std::move(waits_for));
    on_wait(waits_for);
    if (!clock.Wait(std::chrono::seconds(1), stop)) return Fail(ErrorCode::kCancelled, "stopped");
  }
}

}  // namespace

// Where it cannot be asked, a global read lock gives the position: that waits for what is
// invisible.
Result<bool> Shows(mysql::Connection& source, const model::Position& position,
                   std::stop_token stop) {
  auto visible = mysql::IsVisible(source, position, stop);
  if (visible || visible.error().code != ErrorCode::kNeedsUser) return visible;
  return mysql::HasExecuted(source, position, std::move(stop));
}

Result<Definitions> ReadDefinitionsNow(const PipeSpec& spec,
                                       const std::vector<model::TableName>& tables,
                                       std::stop_token stop) {
  PENSTOCK_ASSIGN(auto source, mysql::Connection::Open(spec.source, spec.name + " setup", stop));
  return ReadAll(source, tables, std::move(stop));
}

Result<SourceState> ReadSourceNow(const PipeSpec& spec, const std::vector<model::TableName>& tables,
                                  const std::optional<catalog::Checkpoint>& after, Clock& clock,
                                  std::stop_token stop) {
  PENSTOCK_ASSIGN(auto source, mysql::Connection::Open(spec.source, spec.name + " setup", stop));
  model::Mechanism mechanism{};
  if (after) {
    mechanism = after->position.mechanism;
    PENSTOCK_ASSIGN(const bool visible, Shows(source, after->position, stop));
    if (!visible)
      return Fail(ErrorCode::kRetry, "the source does not show yet what it has logged up to {}",
                  after->position.ToString());
  } else {
    PENSTOCK_ASSIGN(mechanism,
                    mysql::ChooseMechanism(source, spec.settings.MechanismWanted(), stop));
  }
  auto state = ReadOnce(
      source, after ? after->prepared : Held(),
      [&] { return mysql::ReadDefinitions(source, tables, stop); },
      [&] { return ReadPosition(source, mechanism, clock, stop); }, stop);
  if (state || state.error().code != ErrorCode::kConflict) return state;
  Error error = std::move(state).error();
  error.code = ErrorCode::kRetry;
  return Fail(std::move(error));
}

Result<model::Position> GivenStart(mysql::Connection& source, const GivenPosition& given,
                                   model::Mechanism mechanism, std::stop_token stop) {
  model::Position position;
  position.mechanism = mechanism;
  position.file = given.file;
  position.offset = given.offset;
  if (mechanism == model::Mechanism::kMysqlGtid) {
    PENSTOCK_ASSIGN(position.mysql, model::MysqlGtidSet::Parse(given.gtid));
  } else if (mechanism == model::Mechanism::kMariadbGtid) {
    PENSTOCK_ASSIGN(position.mariadb, model::MariadbGtidPosition::Parse(given.gtid));
  }
  PENSTOCK_ASSIGN(const bool executed, mysql::HasExecuted(source, position, std::move(stop)));
  if (executed) return position;
  return NeedsUser("source",
                   fmt::format("the source has not been at startPosition {}", position.ToString()),
                   "Give a position that it has passed, or leave startPosition out");
}

typemap::TargetOptions TargetOptionsOf(const PipeSpec& spec, const TableMapping& mapping) {
  return {.excluded_columns = mapping.excluded_columns,
          .sorting_keys =
              mapping.use_custom_sorting_key ? mapping.sorting_keys : std::vector<std::string>(),
          .overrides = mapping.overrides,
          .types = {.allow_nullable_columns = spec.settings.allow_nullable_columns,
                    .tinyint1_is_bool = spec.settings.tinyint1_is_bool,
                    .nullable_keys = false,
                    .target_type = {}},
          .whole_row_may_be_key = mapping.identical_rows_may_collapse,
          .engine = mapping.engine,
          .tells_source = mapping.tells_source};
}

Result<clickhouse::TableSpec> TargetTable(const PipeSpec& spec, const TableMapping& mapping,
                                          const model::Table& definition) {
  const typemap::TargetOptions options = TargetOptionsOf(spec, mapping);
  clickhouse::TableSpec target{.database = spec.database,
                               .table = mapping.target_table,
                               .columns = {},
                               .engine = mapping.engine,
                               .order_by = {},
                               .partition_by = mapping.partition_by,
                               .settings = mapping.table_settings,
                               .cluster = spec.cluster};
  PENSTOCK_ASSIGN(target.columns, typemap::DestinationColumns(definition, options));
  PENSTOCK_ASSIGN(target.order_by, typemap::SortingKey(definition, options));
  return target;
}

Result<std::vector<clickhouse::TableSpec>> TargetTables(const PipeSpec& spec,
                                                        const Definitions& definitions) {
  std::vector<clickhouse::TableSpec> targets;
  std::map<std::string_view, size_t> places;
  for (const TableMapping& mapping : spec.tables) {
    const auto definition = definitions.find(mapping.source);
    if (definition == definitions.end()) continue;
    PENSTOCK_ASSIGN(auto target, TargetTable(spec, mapping, definition->second));
    const auto [place, is_new] = places.emplace(mapping.target_table, targets.size());
    if (is_new) {
      targets.push_back(std::move(target));
    } else {
      PENSTOCK_TRY(AddShard(target, targets[place->second]));
    }
  }
  return targets;
}

Result<Existing> ReadExisting(clickhouse::Client& destination, const PipeSpec& spec,
                              std::stop_token stop) {
  std::vector<std::string> targets;
  for (const TableMapping& mapping : spec.tables) targets.push_back(mapping.target_table);
  PENSTOCK_ASSIGN(const auto databases,
                  destination.Rows("SELECT name FROM system.databases WHERE name = " +
                                       clickhouse::QuoteString(spec.database),
                                   stop));
  Existing existing{.database = !databases.empty()};
  PENSTOCK_ASSIGN(existing.tables,
                  ReadExistingTables(destination, spec.database, targets, std::move(stop)));
  return existing;
}

Result<std::vector<std::string>> PlannedDdl(const PipeSpec& spec,
                                            const std::map<model::TableName, model::Table>& tables,
                                            const Existing& existing) {
  std::vector<std::string> ddl;
  if (!existing.database) ddl.push_back(clickhouse::CreateDatabase(spec.database, spec.cluster));
  PENSTOCK_ASSIGN(const auto targets, TargetTables(spec, tables));
  for (const auto& target : targets) {
    if (!existing.tables.contains(target.table)) ddl.push_back(clickhouse::CreateTable(target));
  }
  return ddl;
}

Result<SetupResult> SetUp(const PipeSpec& spec, const clickhouse::Endpoint& destination,
                          Clock& clock, const std::function<void(const Error&)>& on_wait,
                          std::stop_token stop) {
  PENSTOCK_ASSIGN(auto source, ReadSource(spec, clock, on_wait, stop));
  clickhouse::Client client(destination);
  PENSTOCK_ASSIGN(const Existing existing, ReadExisting(client, spec, stop));
  SetupResult result;
  if (!existing.database) {
    result.database_ddl = clickhouse::CreateDatabase(spec.database, spec.cluster);
    PENSTOCK_TRY(client.Query(result.database_ddl, {}, stop));
  }
  result.start = {.position = std::move(source.position),
                  .versions_reserved_end = kFirstStreamVersion};
  PENSTOCK_ASSIGN(const auto targets, TargetTables(spec, source.definitions));
  std::vector<DdlStatement> absent;
  std::map<std::string, std::string> ddl;  // by target
  for (const auto& target : targets) {
    ddl[target.table] = clickhouse::CreateTable(target);
    if (!existing.tables.contains(target.table)) {
      absent.push_back(
          {.sql = ddl[target.table], .settings = clickhouse::CreateTableSettings(target)});
    }
  }
  for (const TableMapping& mapping : spec.tables) {
    result.tables.push_back({.id = 0,
                             .definition = std::move(source.definitions.at(mapping.source)),
                             .target = mapping.target_table,
                             .ddl = ddl.at(mapping.target_table),
                             .load_version_base = kLoadVersionBase,
                             .partitions_planned = spec.settings.mode == ReplicationMode::kCdcOnly,
                             .rows_estimated = 0});
  }
  PENSTOCK_TRY(RunStatements(destination, absent, stop));
  PENSTOCK_TRY(CheckTargets(client, targets, stop));
  return result;
}

}  // namespace penstock::pipe
