#include "clickhouse/ddl.h"

#include <fmt/format.h>

#include <algorithm>

#include "clickhouse/quote.h"

namespace penstock::clickhouse {
namespace {

MetaNames meta_names = MetaNames::kPenstock;

std::string_view Named(std::string_view ours, std::string_view peerdb) {
  return meta_names == MetaNames::kPeerdb ? peerdb : ours;
}

std::string ColumnText(const DestinationColumn& column) {
  std::string text = fmt::format("{} {}", QuoteIdentifier(column.name), column.type);
  if (!column.default_expression.empty()) text += " DEFAULT " + column.default_expression;
  if (!column.codec.empty()) text += fmt::format(" CODEC({})", column.codec);
  if (!column.comment.empty()) text += " COMMENT " + QuoteString(column.comment);
  return text;
}

std::string EngineText(Engine engine, bool is_replicated) {
  std::string text(EngineName(engine));
  if (is_replicated && engine != Engine::kNull) text.insert(0, "Replicated");
  if (engine == Engine::kReplacingMergeTree) {
    text += fmt::format("({}, {})", QuoteIdentifier(VersionColumn()),
                        QuoteIdentifier(IsDeletedColumn()));
  }
  return text;
}

std::string OrderByText(const std::vector<std::string>& columns) {
  std::string text;
  for (const std::string& column : columns) {
    if (!text.empty()) text += ", ";
    text += QuoteIdentifier(column);
  }
  return columns.empty() ? "tuple()" : "(" + text + ")";
}

std::string TableSettings(const TableSpec& spec) {
  if (spec.engine == Engine::kNull) return "";
  const bool nullable_key = std::ranges::any_of(spec.columns, [&](const DestinationColumn& column) {
    return column.type.find("Nullable(") != std::string::npos &&
           std::ranges::find(spec.order_by, column.name) != spec.order_by.end();
  });
  std::string settings = nullable_key ? "allow_nullable_key = 1" : "";
  if (!settings.empty() && !spec.settings.empty()) settings += ", ";
  return settings + spec.settings;
}

// Whether Time or Time64 is in the type, alone or inside of another; DateTime64 is not meant.
bool HoldsTime(std::string_view type) {
  constexpr std::string_view kTime = "Time";
  for (size_t at = type.find(kTime); at != type.npos; at = type.find(kTime, at + 1)) {
    if (at == 0 || type[at - 1] == '(' || type[at - 1] == ' ') return true;
  }
  return false;
}

Settings SettingsFor(bool holds_time) {
  if (!holds_time) return {};
  return {{"enable_time_time64_type", "1"}};
}

}  // namespace

void UseMetaNames(MetaNames names) { meta_names = names; }

std::string_view VersionColumn() { return Named("_penstock_version", "_peerdb_version"); }

std::string_view IsDeletedColumn() { return Named("_penstock_is_deleted", "_peerdb_is_deleted"); }

std::string_view SyncedAtColumn() { return Named("_penstock_synced_at", "_peerdb_synced_at"); }

bool IsMetaColumn(std::string_view name) {
  return name == VersionColumn() || name == IsDeletedColumn() || name == SyncedAtColumn() ||
         name == kKindColumn || name == kSourceSchemaColumn || name == kSourceTableColumn;
}

bool KeepsEveryChange(Engine engine) { return engine != Engine::kReplacingMergeTree; }

std::string_view EngineName(Engine engine) {
  switch (engine) {
    case Engine::kReplacingMergeTree:
      return "ReplacingMergeTree";
    case Engine::kMergeTree:
      return "MergeTree";
    case Engine::kNull:
      return "Null";
  }
  return "";
}

std::vector<DestinationColumn> MetaColumns(Engine engine) {
  std::vector<DestinationColumn> columns = {
      {.name = std::string(VersionColumn()),
       .type = "UInt64",
       .comment = "orders the states of one key: the highest is the latest"},
      {.name = std::string(IsDeletedColumn()),
       .type = "UInt8",
       .comment = "1: the row was deleted at the source"},
      {.name = std::string(SyncedAtColumn()),
       .type = "DateTime64(9)",
       .default_expression = "now64(9)",
       .comment = "when ClickHouse received the row"}};
  if (KeepsEveryChange(engine)) {
    columns.push_back({.name = std::string(kKindColumn),
                       .type = std::string(kKindType),
                       .comment = "what was done to the row at the source"});
  }
  return columns;
}

std::vector<DestinationColumn> SourceColumns() {
  constexpr std::string_view kType = "LowCardinality(String)";
  return {{.name = std::string(kSourceSchemaColumn),
           .type = std::string(kType),
           .comment = "the schema that the row comes from"},
          {.name = std::string(kSourceTableColumn),
           .type = std::string(kType),
           .comment = "the table that the row comes from"}};
}

std::string OnCluster(std::string_view cluster) {
  return cluster.empty() ? "" : " ON CLUSTER " + QuoteIdentifier(cluster);
}

std::string CreateDatabase(std::string_view database, std::string_view cluster) {
  return "CREATE DATABASE IF NOT EXISTS " + QuoteIdentifier(database) + OnCluster(cluster);
}

std::string CreateTable(const TableSpec& spec) {
  std::vector<DestinationColumn> columns = spec.columns;
  for (DestinationColumn& column : MetaColumns(spec.engine)) columns.push_back(std::move(column));

  std::string sql = "CREATE TABLE IF NOT EXISTS " + QuoteTable(spec.database, spec.table) +
                    OnCluster(spec.cluster) + "\n(\n";
  for (size_t i = 0; i < columns.size(); ++i) {
    sql += fmt::format("    {}{}\n", ColumnText(columns[i]), i + 1 < columns.size() ? "," : "");
  }
  // Found by ranges of versions, without reading the column.
  if (spec.engine == Engine::kMergeTree) {
    sql += fmt::format("    , INDEX {0}_range {0} TYPE minmax GRANULARITY 1\n", VersionColumn());
  }
  sql += ")\nENGINE = " + EngineText(spec.engine, !spec.cluster.empty());
  if (!spec.partition_by.empty()) sql += "\nPARTITION BY " + spec.partition_by;
  if (spec.engine != Engine::kNull) sql += "\nORDER BY " + OrderByText(spec.order_by);
  if (const std::string settings = TableSettings(spec); !settings.empty()) {
    sql += "\nSETTINGS " + settings;
  }
  return sql;
}

std::string AlterTableAdd(std::string_view database, std::string_view table,
                          const std::vector<NewColumn>& columns, std::string_view cluster) {
  std::string sql = "ALTER TABLE " + QuoteTable(database, table) + OnCluster(cluster);
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto& [column, after] = columns[i];
    sql += fmt::format("{} ADD COLUMN IF NOT EXISTS {}", i == 0 ? "" : ",", ColumnText(column));
    sql += after.empty() ? " FIRST" : " AFTER " + QuoteIdentifier(after);
  }
  return sql;
}

Settings CreateTableSettings(const TableSpec& spec) {
  return SettingsFor(std::ranges::any_of(
      spec.columns, [](const DestinationColumn& column) { return HoldsTime(column.type); }));
}

Settings AlterTableAddSettings(const std::vector<NewColumn>& columns) {
  return SettingsFor(std::ranges::any_of(
      columns, [](const NewColumn& added) { return HoldsTime(added.column.type); }));
}

}  // namespace penstock::clickhouse
