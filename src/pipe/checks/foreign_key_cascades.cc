#include <map>

#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

// From here on MySQL's server does the cascades itself, and logs them.
constexpr uint32_t kMysqlLogsCascades = 90'600;

std::string Query(const std::string& schema, const std::vector<std::string>& tables) {
  std::string names;
  for (const std::string& table : tables) {
    names += (names.empty() ? "" : ",") + mysql::QuoteString(table);
  }
  return fmt::format(
      "SELECT TABLE_NAME, CONSTRAINT_NAME, REFERENCED_TABLE_NAME, DELETE_RULE, UPDATE_RULE "
      "FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA={} AND TABLE_NAME "
      "IN ({}) AND (DELETE_RULE IN ('CASCADE', 'SET NULL') OR UPDATE_RULE IN ('CASCADE', 'SET "
      "NULL'))",
      mysql::QuoteString(schema), names);
}

}  // namespace

// The storage engine changes child rows by itself, and most servers do not log that.
void CheckForeignKeyCascades(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.source || context.tables.empty() || !FollowsLog(context, findings)) return;
  const size_t before = findings.size();
  const mysql::ServerInfo& server = context.source->server();
  if (server.flavour == mysql::Flavour::kMysql && server.number >= kMysqlLogsCascades) {
    return AddOk(findings, "this server logs the rows that foreign keys change");
  }
  std::map<std::string, std::vector<std::string>> tables;
  ForEachTable(context, [&](const TableMapping&, const model::Table& table) {
    tables[table.name.schema].push_back(table.name.table);
  });
  for (const auto& [schema, names] : tables) {
    const auto rows = context.source->Query(Query(schema, names), context.stop);
    if (!rows) return AddError(findings, rows.error());
    for (const mysql::TextRow& row : *rows) {
      AddWarning(
          findings,
          fmt::format("{}.{}: foreign key {} to {} has ON DELETE {}, ON UPDATE {}; rows that "
                      "it changes are not in the log and will differ in the target",
                      schema, row[0].value_or(""), row[1].value_or(""), row[2].value_or(""),
                      row[3].value_or(""), row[4].value_or("")),
          "Delete and update child rows by statements of their own, with RESTRICT keys");
    }
  }
  AddOkIfNone(findings, before, "no foreign key changes rows of mapped tables by itself");
}

}  // namespace penstock::pipe
