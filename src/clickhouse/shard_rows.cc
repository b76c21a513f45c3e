#include "clickhouse/shard_rows.h"

#include <fmt/format.h>

#include "clickhouse/errors.h"
#include "clickhouse/quote.h"
#include "clickhouse/table_writes.h"

namespace penstock::clickhouse {
namespace {

// The last group of digits of a UUID, from the source's name (FNV-1a).
std::string MarkOf(const Shard& shard) {
  uint64_t hash = 14695981039346656037U;
  for (const std::string_view name :
       {std::string_view(shard.schema), std::string_view("\0", 1), std::string_view(shard.table)}) {
    for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211U;
  }
  return fmt::format("{:012x}", hash >> 16);
}

// The value that a column of the type shows in rows that do not hold it.
std::string ValueOf(const std::string& default_expression, const std::string& type) {
  if (default_expression.empty()) {
    return fmt::format("defaultValueOfTypeName({})", QuoteString(type));
  }
  return fmt::format("CAST({}, {})", default_expression, QuoteString(type));
}

}  // namespace

std::string IsOfShard(const Shard& shard) {
  return fmt::format("{} = {} AND {} = {}", kSourceSchemaColumn, QuoteString(shard.schema),
                     kSourceTableColumn, QuoteString(shard.table));
}

std::string WriteQueryId(std::string_view database, std::string_view table,
                         const std::optional<Shard>& shard) {
  std::string id = WriteQueryId(database, table);
  if (!shard) return id;
  const std::string mark = MarkOf(*shard);
  id.replace(id.size() - mark.size(), mark.size(), mark);
  return id;
}

Status EndShardWrites(Client& client, std::string_view database, std::string_view table,
                      const Shard& shard, Clock& clock, std::stop_token stop) {
  return EndWrites(client, database, table, MarkOf(shard), clock, std::move(stop));
}

// The order is carried out by the server whatever becomes of the statement, and on the rows that
// are there when it is given: what is written after it stays.
Status DeleteShard(Client& client, std::string_view database, std::string_view table,
                   const Shard& shard, Clock& clock, std::stop_token stop) {
  PENSTOCK_TRY(EndShardWrites(client, database, table, shard, clock, stop));
  const std::string name = QuoteTable(database, table);
  const std::string ours = IsOfShard(shard);
  PENSTOCK_ASSIGN(const auto any,
                  client.Rows(fmt::format("SELECT 1 FROM {} WHERE {} LIMIT 1", name, ours), stop));
  if (any.empty()) return {};
  return client
      .Query(fmt::format("ALTER TABLE {} DELETE WHERE {}", name, ours),
             {{"mutations_sync", "2"}, {"query_id", WriteQueryId(database, table, shard)}}, stop)
      .map([](auto) {});
}

Status CheckDefaults(Client& client, std::string_view database, std::string_view table,
                     const std::vector<NewColumn>& columns, std::stop_token stop) {
  for (const auto& [column, after] : columns) {
    PENSTOCK_ASSIGN(
        const auto there,
        client.Rows(fmt::format("SELECT default_expression FROM system.columns WHERE database = {} "
                                "AND table = {} AND name = {} AND replaceAll(type, ' ', '') = "
                                "replaceAll({}, ' ', '')",
                                QuoteString(database), QuoteString(table), QuoteString(column.name),
                                QuoteString(column.type)),
                    stop));
    if (there.empty()) continue;
    const std::string& before = there.at(0).at(0);
    if (before == column.default_expression) continue;
    PENSTOCK_ASSIGN(const auto alike,
                    client.Rows(fmt::format("SELECT toString(tuple({})) = toString(tuple({}))",
                                            ValueOf(before, column.type),
                                            ValueOf(column.default_expression, column.type)),
                                stop));
    if (alike.at(0).at(0) == "1") continue;
    return Fail(ExceptionError(
        kErrTypeMismatch,
        fmt::format("the column {} was added to the target table {} by another source before, and "
                    "what older rows hold in it differs: {} there, {} here",
                    column.name, QuoteTable(database, table), before.empty() ? "nothing" : before,
                    column.default_expression.empty() ? "nothing" : column.default_expression)));
  }
  return {};
}

}  // namespace penstock::clickhouse
