#include <algorithm>

#include "clickhouse/quote.h"
#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

// CHECK GRANT takes no FORMAT, and answers 0 or 1. Where it is not known, the first statement of
// the pipe will tell.
bool IsRefused(CheckContext& context, std::string_view privilege, std::string_view object) {
  const auto answer = context.destination->Query(
      fmt::format("CHECK GRANT {} ON {}", privilege, object), {}, context.stop);
  return answer && answer->starts_with('0');
}

void AddRefused(std::string_view privilege, std::string_view object, std::string_view scope,
                std::vector<Finding>& findings) {
  AddError(findings, fmt::format("the ClickHouse user may not {} on {}", privilege, object),
           fmt::format("GRANT {} ON {} TO the user", privilege, scope));
}

// Granted on the database, or on each of `tables`.
void CheckOnTables(CheckContext& context, std::string_view privilege,
                   const std::vector<std::string>& tables, std::vector<Finding>& findings) {
  const std::string& database = context.spec.database;
  const std::string scope = clickhouse::QuoteIdentifier(database) + ".*";
  if (tables.empty() || !IsRefused(context, privilege, scope)) return;
  for (const std::string& table : tables) {
    const std::string name = clickhouse::QuoteTable(database, table);
    if (IsRefused(context, privilege, name)) {
      return AddRefused(privilege, name, scope, findings);
    }
  }
}

}  // namespace

// Only what the pipe will do: it makes what is not there; and a load without a stream fills tables
// of its own, which it then exchanges with the targets.
void CheckDestinationPrivileges(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.destination || !context.existing) return;
  const size_t before = findings.size();
  std::vector<std::string> targets;
  std::vector<std::string> absent;
  for (const TableMapping& mapping : context.spec.tables) {
    targets.push_back(mapping.target_table);
    if (!context.existing->tables.contains(mapping.target_table)) {
      absent.push_back(mapping.target_table);
    }
  }
  const bool exchanges = context.spec.settings.mode == ReplicationMode::kSnapshot;
  const std::string database = clickhouse::QuoteIdentifier(context.spec.database) + ".*";
  if (!context.existing->database && IsRefused(context, "CREATE DATABASE", database)) {
    AddRefused("CREATE DATABASE", database, database, findings);
  }
  constexpr std::string_view kEngine = "ReplacingMergeTree";
  if ((exchanges || !absent.empty()) && IsRefused(context, "TABLE ENGINE", kEngine)) {
    AddRefused("TABLE ENGINE", kEngine, kEngine, findings);
  }
  if (exchanges) {
    for (const std::string_view privilege : {"CREATE TABLE", "DROP TABLE", "INSERT", "SELECT"}) {
      if (IsRefused(context, privilege, database)) {
        AddRefused(privilege, database, database, findings);
      }
    }
  } else {
    CheckOnTables(context, "CREATE TABLE", absent, findings);
    CheckOnTables(context, "INSERT", targets, findings);
    CheckOnTables(context, "SELECT", targets, findings);
  }
  AddOkIfNone(findings, before, "no missing privilege was found");
}

}  // namespace penstock::pipe
