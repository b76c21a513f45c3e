#include "pipe/kept_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "clickhouse/ddl.h"
#include "clickhouse/errors.h"
#include "clickhouse/quote.h"
#include "clickhouse/shard_rows.h"
#include "clickhouse/table_writes.h"

namespace penstock::pipe {
namespace {

struct Column {
  std::string name;
  std::string value;  // SQL; an error of the server where the other type does not hold it
};

// Those that both tables have. A column that is computed is so again.
Result<std::vector<Column>> CommonColumns(clickhouse::Client& client, const std::string& database,
                                          const std::string& from, const std::string& to,
                                          std::stop_token stop) {
  const std::string sql = fmt::format(
      "SELECT name, anyIf(type, table = {0}) AS before, anyIf(type, table = {1}) AS now, before = "
      "now "
      "FROM system.columns WHERE database = {2} AND table IN ({0}, {1}) AND default_kind IN "
      "('', 'DEFAULT') GROUP BY name HAVING count() = 2 ORDER BY min(position)",
      clickhouse::QuoteString(from), clickhouse::QuoteString(to),
      clickhouse::QuoteString(database));
  PENSTOCK_ASSIGN(const auto rows, client.Rows(sql, std::move(stop)));
  std::vector<Column> columns;
  for (const auto& row : rows) {
    const std::string name = clickhouse::QuoteIdentifier(row.at(0));
    const std::string cast =
        fmt::format("accurateCast({}, {})", name, clickhouse::QuoteString(row.at(2)));
    columns.push_back({.name = row.at(0), .value = row.at(3) == "1" ? name : cast});
  }
  return columns;
}

// Those that `to` lacks, at their places: none of the tables that are loaded has them, but kept
// rows may.
Status AddLackingColumns(clickhouse::Client& client, const std::string& database,
                         const std::string& from, const std::string& to, std::stop_token stop) {
  const std::string sql = fmt::format(
      "SELECT name, type, default_expression, name IN (SELECT name FROM system.columns WHERE "
      "database = {0} AND table = {2}) FROM system.columns WHERE database = {0} AND table = {1} "
      "AND default_kind IN ('', 'DEFAULT') ORDER BY position",
      clickhouse::QuoteString(database), clickhouse::QuoteString(from),
      clickhouse::QuoteString(to));
  PENSTOCK_ASSIGN(const auto rows, client.Rows(sql, stop));
  std::vector<clickhouse::NewColumn> lacking;
  std::string after;
  for (const auto& row : rows) {
    if (row.at(3) == "0") {
      lacking.push_back(
          {.column = {.name = row.at(0), .type = row.at(1), .default_expression = row.at(2)},
           .after = after});
    }
    after = row.at(0);
  }
  return clickhouse::AddColumns(client, database, to, lacking, std::move(stop));
}

// `kept`: one of those whose rows they are.
Error DoNotFit(Error error, const std::string& target, const clickhouse::Shard& kept) {
  const bool is_known = error.native_code == 0 || clickhouse::IsKnownException(error.native_code);
  if (!is_known) error.code = ErrorCode::kNeedsUser;
  if (!clickhouse::ConcernsOneTable(error)) return error;
  error = error.In(fmt::format(
      "rows in {} of tables that are followed no more, {}.{} for one, do not fit the table that is "
      "to take its place",
      target, kept.schema, kept.table));
  error.remedy = fmt::format(
      "Mend them, or delete them (ALTER TABLE {} DELETE WHERE {}); then resync the table", target,
      clickhouse::IsOfShard(kept));
  return error;
}

}  // namespace

std::map<std::string, std::vector<catalog::TableRecord>> SharedLoads(
    const PipeSpec& spec, const std::vector<catalog::TableRecord>& tables) {
  std::map<std::string, std::vector<catalog::TableRecord>> loads;
  for (const auto& table : tables) {
    const auto mapping =
        std::ranges::find(spec.tables, table.definition.name, &TableMapping::source);
    const bool shares = mapping != spec.tables.end() && mapping->tells_source;
    if (shares) loads[table.target].push_back(table);
  }
  return loads;
}

Status CarryOver(clickhouse::Client& client, const std::string& database,
                 const std::vector<catalog::TableRecord>& tables, std::stop_token stop) {
  const std::string& target = tables.at(0).target;
  const std::string& load_target = tables.at(0).load_target;
  PENSTOCK_ASSIGN(auto columns, CommonColumns(client, database, target, load_target, stop));
  // It may be gone, or have been made by hand.
  if (std::ranges::count(columns, clickhouse::kSourceTableColumn, &Column::name) == 0) return {};
  std::vector<clickhouse::Shard> loaded;
  for (const auto& table : tables) {
    const model::TableName& source = table.definition.name;
    loaded.push_back({.schema = source.schema, .table = source.table});
  }
  const std::string from = clickhouse::QuoteTable(database, target);
  const std::string others = "NOT " + clickhouse::IsOfAny(loaded);
  PENSTOCK_ASSIGN(const auto any,
                  client.Rows(fmt::format("SELECT {}, {} FROM {} WHERE {} LIMIT 1",
                                          clickhouse::kSourceSchemaColumn,
                                          clickhouse::kSourceTableColumn, from, others),
                              stop));
  if (any.empty()) return {};
  const clickhouse::Shard kept{.schema = any[0].at(0), .table = any[0].at(1)};
  Status added = AddLackingColumns(client, database, target, load_target, stop);
  if (!added) return Fail(DoNotFit(std::move(added).error(), from, kept));
  PENSTOCK_ASSIGN(columns, CommonColumns(client, database, target, load_target, stop));
  std::string names;
  std::string values;
  for (const auto& [name, value] : columns) {
    names += (names.empty() ? "" : ", ") + clickhouse::QuoteIdentifier(name);
    values += (values.empty() ? "" : ", ") + value;
  }
  auto copied = client.Query(
      fmt::format("INSERT INTO {} ({}) SELECT {} FROM {} WHERE {}",
                  clickhouse::QuoteTable(database, load_target), names, values, from, others),
      {{"max_partitions_per_insert_block", "0"},
       {"insert_deduplicate", "0"},
       {"insert_null_as_default", "0"},
       {"query_id", clickhouse::WriteQueryId(database, load_target)}},
      std::move(stop));
  if (copied) return {};
  return Fail(DoNotFit(std::move(copied).error(), from, kept));
}

}  // namespace penstock::pipe
