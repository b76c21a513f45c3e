#include <algorithm>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "clickhouse/quote.h"
#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

constexpr size_t kTablesPerQuery = 500;

// CHECK GRANT takes no FORMAT, and answers 0 or 1. "" where it is not known: then the first
// statement of the pipe will tell.
std::string AreGranted(CheckContext& context, std::string_view grants) {
  return context.destination->Query(fmt::format("CHECK GRANT {}", grants), {}, context.stop)
      .value_or("");
}

bool AreRefused(CheckContext& context, std::string_view grants) {
  return AreGranted(context, grants).starts_with('0');
}

bool IsRefused(CheckContext& context, std::string_view privilege, std::string_view object) {
  return AreRefused(context, fmt::format("{} ON {}", privilege, object));
}

// All that any pipe asks for below, in one question: most users may do it all.
bool IsAllGranted(CheckContext& context, const std::set<std::string_view>& engines) {
  std::string grants = fmt::format(
      "CREATE DATABASE, CREATE TABLE, DROP TABLE, INSERT, SELECT, TRUNCATE, ALTER DELETE, "
      "ALTER ADD COLUMN ON {}.*, SELECT ON system.processes",
      clickhouse::QuoteIdentifier(context.spec.database));
  for (const std::string_view engine : engines) {
    grants += fmt::format(", TABLE ENGINE ON {}", engine);
  }
  return AreGranted(context, grants).starts_with('1');
}

void AddRefused(const CheckContext& context, std::string_view privilege, std::string_view object,
                std::string_view scope, std::vector<Finding>& findings) {
  AddError(findings, fmt::format("the ClickHouse user may not {} on {}", privilege, object),
           "Run at ClickHouse",
           GrantAtDestination(context, fmt::format("{} ON {}", privilege, scope)));
}

// The first of `tables` on which it is not granted, neither there nor on the database.
std::optional<std::string> FindRefused(CheckContext& context, std::string_view privilege,
                                       const std::vector<std::string>& tables) {
  const std::string& database = context.spec.database;
  const std::string scope = clickhouse::QuoteIdentifier(database) + ".*";
  if (tables.empty() || !IsRefused(context, privilege, scope)) return std::nullopt;
  for (std::span<const std::string> left(tables); !left.empty();) {
    const auto chunk = left.first(std::min(left.size(), kTablesPerQuery));
    left = left.subspan(chunk.size());
    std::string grants;
    for (const std::string& table : chunk) {
      grants += fmt::format("{}{} ON {}", grants.empty() ? "" : ", ", privilege,
                            clickhouse::QuoteTable(database, table));
    }
    if (!AreRefused(context, grants)) continue;
    for (const std::string& table : chunk) {
      std::string name = clickhouse::QuoteTable(database, table);
      if (IsRefused(context, privilege, name)) return name;
    }
  }
  return std::nullopt;
}

void CheckOnTables(CheckContext& context, std::string_view privilege,
                   const std::vector<std::string>& tables, std::vector<Finding>& findings) {
  const std::string scope = clickhouse::QuoteIdentifier(context.spec.database) + ".*";
  if (const auto name = FindRefused(context, privilege, tables)) {
    AddRefused(context, privilege, *name, scope, findings);
  }
}

// What it takes to have each change once: asking for inserts of unknown outcome, and taking back a
// part of one. And to remove deleted rows.
void CheckAsking(CheckContext& context, std::vector<Finding>& findings) {
  std::vector<std::string> targets;
  for (const TableMapping& mapping : context.spec.tables) {
    const bool cleans_up =
        context.spec.settings.delete_on_merge && !clickhouse::KeepsEveryChange(mapping.engine);
    if (mapping.engine == clickhouse::Engine::kMergeTree || cleans_up) {
      targets.push_back(mapping.target_table);
    }
  }
  if (targets.empty()) return;
  CheckOnTables(context, "ALTER DELETE", targets, findings);
  if (IsRefused(context, "SELECT", "system.processes")) {
    AddRefused(context, "SELECT", "system.processes", "system.processes", findings);
  }
}

// What a pipe may have to do one day.
void WarnOfLater(CheckContext& context, const std::vector<std::string>& targets,
                 std::vector<Finding>& findings) {
  const std::string scope = clickhouse::QuoteIdentifier(context.spec.database) + ".*";
  std::vector<std::string> shared;
  std::vector<std::string> alone;
  for (const TableMapping& mapping : context.spec.tables) {
    (mapping.tells_source ? shared : alone).push_back(mapping.target_table);
  }
  struct Later {
    const char* privilege;
    const char* event;
    const std::vector<std::string>& targets;
  };
  constexpr char kTruncate[] = "a TRUNCATE of";
  for (const auto& [privilege, event, of] :
       {Later{"TRUNCATE", kTruncate, alone}, Later{"ALTER DELETE", kTruncate, shared},
        Later{"ALTER ADD COLUMN", "a column added to", targets}}) {
    const auto name = FindRefused(context, privilege, of);
    if (!name) continue;
    AddWarning(findings,
               fmt::format("the ClickHouse user may not {} {}: {} its table at the source would "
                           "quarantine it",
                           privilege, *name, event),
               "Run at ClickHouse",
               GrantAtDestination(context, fmt::format("{} ON {}", privilege, scope)));
  }
  constexpr std::string_view kProcesses = "system.processes";
  if (IsRefused(context, "SELECT", kProcesses)) {
    AddWarning(findings,
               "the ClickHouse user may not SELECT on system.processes, where inserts that are "
               "stuck are found and ended before a TRUNCATE: one at the source would quarantine "
               "its table",
               "Run at ClickHouse",
               GrantAtDestination(context, fmt::format("SELECT ON {}", kProcesses)));
  }
  for (const std::string_view privilege : {"CREATE TABLE", "DROP TABLE"}) {
    if (!IsRefused(context, privilege, scope)) continue;
    AddWarning(
        findings,
        fmt::format("the ClickHouse user may not {} on {}, which a resync needs", privilege, scope),
        "Run at ClickHouse",
        GrantAtDestination(context, fmt::format("{} ON {}", privilege, scope)));
  }
}

}  // namespace

// Only what the pipe will do: it makes what is not there; and a load without a stream fills tables
// of its own, which it then exchanges with the targets.
void CheckDestinationPrivileges(CheckContext& context, std::vector<Finding>& findings) {
  const size_t before = findings.size();
  const auto readonly = context.destination->Rows(
      "SELECT value FROM system.settings WHERE name = 'readonly'", context.stop);
  if (readonly && !readonly->empty() && readonly->front().front() != "0") {
    AddError(findings, "the ClickHouse user may only read: its setting readonly is not 0",
             "Give the user a profile without readonly");
  }
  std::vector<std::string> targets;
  std::vector<std::string> absent;
  std::set<std::string_view> engines;  // of tables that are made
  const bool exchanges = context.spec.settings.mode == ReplicationMode::kSnapshot;
  for (const TableMapping& mapping : context.spec.tables) {
    targets.push_back(mapping.target_table);
    const bool is_absent = !context.existing->tables.contains(mapping.target_table);
    if (is_absent) absent.push_back(mapping.target_table);
    if (is_absent || exchanges) engines.insert(clickhouse::EngineName(mapping.engine));
  }
  constexpr std::string_view kNoneMissing = "no missing privilege was found";
  if (IsAllGranted(context, engines)) {
    return AddOkIfNone(findings, before, std::string(kNoneMissing));
  }
  const std::string database = clickhouse::QuoteIdentifier(context.spec.database) + ".*";
  if (!context.existing->database && IsRefused(context, "CREATE DATABASE", database)) {
    AddRefused(context, "CREATE DATABASE", database, database, findings);
  }
  for (const std::string_view engine : engines) {
    if (IsRefused(context, "TABLE ENGINE", engine)) {
      AddRefused(context, "TABLE ENGINE", engine, engine, findings);
    }
  }
  if (exchanges) {
    for (const std::string_view privilege : {"CREATE TABLE", "DROP TABLE", "INSERT", "SELECT"}) {
      if (IsRefused(context, privilege, database)) {
        AddRefused(context, privilege, database, database, findings);
      }
    }
  } else {
    CheckOnTables(context, "CREATE TABLE", absent, findings);
    CheckOnTables(context, "INSERT", targets, findings);
    CheckOnTables(context, "SELECT", targets, findings);
    CheckAsking(context, findings);
    WarnOfLater(context, targets, findings);
  }
  AddOkIfNone(findings, before, std::string(kNoneMissing));
}

}  // namespace penstock::pipe
