#include "mysql/wire/table_list.h"

#include "mysql/wire/definitions.h"

namespace penstock::mysql {

Result<TableList> ListTables(Connection& connection, const std::vector<std::string>& schemas,
                             std::stop_token stop) {
  std::string names;
  for (const std::string& schema : schemas) {
    names += (names.empty() ? "" : ", ") + QuoteString(schema);
  }
  const std::string where =
      schemas.empty() ? "NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')"
                      : "IN (" + names + ")";
  TableList list;
  PENSTOCK_ASSIGN(list.names_ignore_case, NamesIgnoreCase(connection, stop));
  PENSTOCK_ASSIGN(
      const auto rows,
      connection.Query("SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES "
                       "WHERE TABLE_SCHEMA " +
                           where + " ORDER BY TABLE_SCHEMA, TABLE_NAME",
                       stop));
  for (const TextRow& row : rows) {
    const std::string type = row.at(2).value_or("");
    list.entries.push_back({.name = {row.at(0).value_or(""), row.at(1).value_or("")},
                            .is_table = type == "BASE TABLE" || type == "SYSTEM VERSIONED"});
  }
  return list;
}

}  // namespace penstock::mysql
