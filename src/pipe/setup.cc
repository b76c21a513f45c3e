#include "pipe/setup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "mysql/wire/definitions.h"
#include "mysql/wire/start_position.h"

namespace penstock::pipe {
namespace {

using Definitions = std::map<model::TableName, model::Table>;

constexpr int kDefinitionReadsMax = 20;
constexpr int kXaWaitsMax = 60;

Failure NeedsUser(std::string_view origin, std::string message, std::string remedy) {
  return Fail(Error{.code = ErrorCode::kNeedsUser,
                    .message = std::move(message),
                    .origin = std::string(origin),
                    .native_code = 0,
                    .remedy = std::move(remedy)});
}

Result<Definitions> ReadAll(mysql::Connection& source, const PipeSpec& spec, std::stop_token stop) {
  std::vector<model::TableName> names;
  for (const TableMapping& mapping : spec.tables) names.push_back(mapping.source);
  PENSTOCK_ASSIGN(auto definitions, mysql::ReadDefinitions(source, names, stop));
  for (const auto& name : names) {
    if (!definitions.contains(name)) {
      return NeedsUser("source", fmt::format("table {} does not exist", name.ToString()),
                       "Create it, or take it out of tableMappings");
    }
  }
  return definitions;
}

// Rows of a prepared XA transaction are in the log before the start position, and no SELECT sees
// them.
Status WaitForPreparedXa(mysql::Connection& source, Clock& clock, std::stop_token stop) {
  for (int wait = 0;; ++wait) {
    const auto ids = mysql::PreparedXaTransactions(source, stop);
    // Without the privilege to ask there is nothing to wait for; `check` warns of it.
    if (!ids && ids.error().code == ErrorCode::kNeedsUser) return {};
    if (!ids) return Fail(ids.error());
    if (ids->empty()) return {};
    if (wait == kXaWaitsMax) {
      return NeedsUser(
          "source", fmt::format("prepared XA transactions stay open: {}", fmt::join(*ids, ", ")),
          "Commit them or roll them back (XA RECOVER lists them), then start the pipe");
    }
    if (!clock.Wait(std::chrono::seconds(1), stop)) return Fail(ErrorCode::kCancelled, "stopped");
  }
}

struct SourceState {
  Definitions definitions;
  model::Position position;
};

// Definitions and the position they are valid at.
Result<SourceState> ReadSource(const PipeSpec& spec, Clock& clock, std::stop_token stop) {
  PENSTOCK_ASSIGN(auto source, mysql::Connection::Open(spec.source, spec.name + " setup", stop));
  if (spec.settings.mode == ReplicationMode::kSnapshot) {
    PENSTOCK_ASSIGN(auto definitions, ReadAll(source, spec, stop));
    return SourceState{.definitions = std::move(definitions), .position = {}};
  }
  PENSTOCK_TRY(WaitForPreparedXa(source, clock, stop));
  PENSTOCK_ASSIGN(const auto mechanism,
                  mysql::ChooseMechanism(source, spec.settings.replication_mechanism, stop));
  for (int i = 0; i < kDefinitionReadsMax; ++i) {
    PENSTOCK_ASSIGN(const auto before, ReadAll(source, spec, stop));
    PENSTOCK_ASSIGN(auto position, mysql::ReadStartPosition(source, mechanism, stop));
    PENSTOCK_ASSIGN(auto after, ReadAll(source, spec, stop));
    if (before == after) {
      return SourceState{.definitions = std::move(after), .position = std::move(position)};
    }
  }
  return Fail(ErrorCode::kRetry, "the definitions of the source tables keep changing");
}

std::string WithoutSpaces(std::string text) {
  std::erase(text, ' ');
  return text;
}

// The table may have been there before: it must be as it would have been made, and empty.
Status CheckTarget(clickhouse::Client& client, const clickhouse::TableSpec& target,
                   std::stop_token stop) {
  const std::string name = fmt::format("{}.{}", clickhouse::QuoteIdentifier(target.database),
                                       clickhouse::QuoteIdentifier(target.table));
  PENSTOCK_ASSIGN(const auto rows, client.Rows("SELECT 1 FROM " + name + " LIMIT 1", stop));
  if (!rows.empty()) {
    return NeedsUser("destination", fmt::format("the target table {} holds rows already", name),
                     "Drop or empty it, or choose another targetTable");
  }
  PENSTOCK_ASSIGN(const auto columns,
                  client.Rows(fmt::format("SELECT name, type FROM system.columns WHERE database = "
                                          "{} AND table = {}",
                                          clickhouse::QuoteString(target.database),
                                          clickhouse::QuoteString(target.table)),
                              stop));
  auto expected = target.columns;
  const auto meta = clickhouse::MetaColumns();
  expected.insert(expected.end(), meta.begin(), meta.end());
  for (const auto& column : expected) {
    const bool matches = std::any_of(columns.begin(), columns.end(), [&](const auto& row) {
      return row.size() == 2 && row[0] == column.name &&
             WithoutSpaces(row[1]) == WithoutSpaces(column.type);
    });
    if (!matches) {
      return NeedsUser("destination",
                       fmt::format("the target table {} exists and has no column {} of type {}",
                                   name, column.name, column.type),
                       "Drop it, or choose another targetTable");
    }
  }
  return {};
}

}  // namespace

typemap::TargetOptions TargetOptionsOf(const PipeSpec& spec, const TableMapping& mapping) {
  return {.excluded_columns = mapping.excluded_columns,
          .sorting_keys =
              mapping.use_custom_sorting_key ? mapping.sorting_keys : std::vector<std::string>(),
          .types = {.allow_nullable_columns = spec.settings.allow_nullable_columns,
                    .tinyint1_is_bool = spec.settings.tinyint1_is_bool}};
}

Result<clickhouse::TableSpec> TargetTable(const PipeSpec& spec, const TableMapping& mapping,
                                          const model::Table& definition) {
  const typemap::TargetOptions options = TargetOptionsOf(spec, mapping);
  clickhouse::TableSpec target{.database = spec.database,
                               .table = mapping.target_table,
                               .columns = {},
                               .engine = clickhouse::Engine::kReplacingMergeTree,
                               .order_by = {}};
  PENSTOCK_ASSIGN(target.columns, typemap::DestinationColumns(definition, options));
  PENSTOCK_ASSIGN(target.order_by, typemap::SortingKey(definition, options));
  return target;
}

Result<std::vector<std::string>> PlannedDdl(
    const PipeSpec& spec, const std::map<model::TableName, model::Table>& tables) {
  std::vector<std::string> ddl = {clickhouse::CreateDatabase(spec.database)};
  for (const TableMapping& mapping : spec.tables) {
    const auto definition = tables.find(mapping.source);
    if (definition == tables.end()) continue;
    PENSTOCK_ASSIGN(const auto target, TargetTable(spec, mapping, definition->second));
    ddl.push_back(clickhouse::CreateTable(target));
  }
  return ddl;
}

Result<SetupResult> SetUp(const PipeSpec& spec, const clickhouse::Endpoint& destination,
                          Clock& clock, std::stop_token stop) {
  PENSTOCK_ASSIGN(auto source, ReadSource(spec, clock, stop));
  clickhouse::Client client(destination);
  PENSTOCK_TRY(client.Query(clickhouse::CreateDatabase(spec.database), {}, stop));
  SetupResult result;
  result.start = {.position = std::move(source.position),
                  .versions_reserved_end = kFirstStreamVersion};
  for (const TableMapping& mapping : spec.tables) {
    model::Table& definition = source.definitions.at(mapping.source);
    PENSTOCK_ASSIGN(const auto target, TargetTable(spec, mapping, definition));
    const std::string ddl = clickhouse::CreateTable(target);
    PENSTOCK_TRY(client.Query(ddl, {}, stop));
    PENSTOCK_TRY(CheckTarget(client, target, stop));
    result.tables.push_back({.id = 0,
                             .definition = definition,
                             .target = mapping.target_table,
                             .ddl = ddl,
                             .load_version_base = kLoadVersionBase,
                             .partitions_planned = spec.settings.mode == ReplicationMode::kCdcOnly,
                             .rows_estimated = 0});
  }
  return result;
}

}  // namespace penstock::pipe
