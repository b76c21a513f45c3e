#include "snapshot/table_size.h"

#include <fmt/format.h>

#include <charconv>
#include <string>

namespace penstock::snapshot {
namespace {

uint64_t ToNumber(const std::optional<std::string>& text) {
  uint64_t number = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

}  // namespace

Result<std::map<model::TableName, TableSize>> EstimateSizes(
    mysql::Connection& connection, const std::vector<model::TableName>& names,
    std::stop_token stop) {
  // Since 8.0 MySQL answers what it knew a day ago, unless it is told not to.
  if (connection.server().flavour == mysql::Flavour::kMysql &&
      connection.server().number >= 80'000) {
    PENSTOCK_TRY(connection.Execute("SET SESSION information_schema_stats_expiry = 0", stop));
  }
  std::map<std::string, std::string> lists;
  for (const model::TableName& name : names) {
    std::string& list = lists[name.schema];
    list += (list.empty() ? "" : ",") + mysql::QuoteString(name.table);
  }
  std::map<model::TableName, TableSize> sizes;
  for (const auto& [schema, list] : lists) {
    PENSTOCK_ASSIGN(
        const auto rows,
        connection.Query(fmt::format("SELECT TABLE_NAME, TABLE_ROWS, DATA_LENGTH FROM "
                                     "information_schema.TABLES WHERE TABLE_SCHEMA = {} AND "
                                     "TABLE_NAME IN ({})",
                                     mysql::QuoteString(schema), list),
                         stop));
    for (const mysql::TextRow& row : rows) {
      sizes[{schema, row[0].value_or("")}] = {.rows = ToNumber(row[1]), .bytes = ToNumber(row[2])};
    }
  }
  return sizes;
}

}  // namespace penstock::snapshot
