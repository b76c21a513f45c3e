#include "pipe/checks/check.h"

#include <algorithm>

#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

constexpr CheckGroup kOfSource = CheckGroup::kSource;
constexpr CheckGroup kOfTables = CheckGroup::kTables;
constexpr CheckGroup kOfTarget = CheckGroup::kDestination;

constexpr Needs kNothing{};
constexpr Needs kSource{.source = true};
constexpr Needs kLog{.source = true, .log = true};
constexpr Needs kTables{.source = true, .tables = true};
constexpr Needs kTablesLog{.source = true, .log = true, .tables = true};
constexpr Needs kClickHouse{.destination = true};
constexpr Needs kTargets{.destination = true, .existing = true};
constexpr Needs kTablesTargets{.tables = true, .destination = true, .existing = true};

// Why the check is not run; "" where it is. What is not needed is no loss, and comes first.
std::string_view WhyNotRun(const Needs& needs, const CheckContext& context) {
  if (needs.source && !context.source) return "there is no connection to the source";
  if (needs.tables && context.tables.empty()) return "no table's definition could be read";
  if (needs.destination && !context.destination) return "there is no connection to ClickHouse";
  if (needs.existing && !context.existing) return "what the database holds could not be read";
  return "";
}

void RunOne(const NamedCheck& check, CheckContext& context, std::vector<Finding>& findings) {
  if (context.stop.stop_requested()) return AddError(findings, "stopped before this check", "");
  if (check.needs.log && context.spec.settings.mode == ReplicationMode::kSnapshot) {
    return AddOk(findings, "not needed: replicationMode is snapshot");
  }
  if (const std::string_view why = WhyNotRun(check.needs, context); !why.empty()) {
    findings.push_back({.check = {},
                        .severity = Severity::kNotRun,
                        .message = std::string(why),
                        .remedy = {},
                        .statement = {}});
    return;
  }
  check.run(context, findings);
}

}  // namespace

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kOk:
      return "ok";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
    case Severity::kNotRun:
      return "notRun";
  }
  return "";
}

std::string_view GroupName(CheckGroup group) {
  switch (group) {
    case CheckGroup::kSource:
      return "source";
    case CheckGroup::kTables:
      return "tables";
    case CheckGroup::kDestination:
      return "destination";
  }
  return "";
}

bool CheckReport::ok() const {
  return std::ranges::none_of(
      findings, [](const Finding& finding) { return finding.severity == Severity::kError; });
}

const std::vector<NamedCheck>& AllChecks() {
  static const std::vector<NamedCheck> checks = {
      {"pipe_name", kOfTables, kNothing, CheckPipeName},
      {"table_mapping", kOfTables, kNothing, CheckTableMapping},
      {"source_connection", kOfSource, kNothing, CheckSourceConnection},
      {"source_version", kOfSource, kSource, CheckSourceVersion},
      {"writer_endpoint", kOfSource, kLog, CheckWriterEndpoint},
      {"time_zone", kOfSource, kSource, CheckTimeZone},
      {"binlog_enabled", kOfSource, kLog, CheckBinlogEnabled},
      {"binlog_format", kOfSource, kLog, CheckBinlogFormat},
      {"binlog_row_metadata", kOfSource, kLog, CheckBinlogRowMetadata},
      {"row_value_options", kOfSource, kLog, CheckRowValueOptions},
      {"transaction_compression", kOfSource, kLog, CheckTransactionCompression},
      {"server_id", kOfSource, kLog, CheckServerId},
      {"replication_privilege", kOfSource, kLog, CheckReplicationPrivilege},
      {"gtid_mode", kOfSource, kLog, CheckGtidMode},
      {"start_position", kOfSource, kLog, CheckStartPosition},
      {"log_retention", kOfSource, kLog, CheckLogRetention},
      {"log_filters", kOfSource, kLog, CheckLogFilters},
      {"replica_updates", kOfSource, kLog, CheckReplicaUpdates},
      {"replica_lag", kOfSource, kSource, CheckReplicaLag},
      {"xa_transactions", kOfSource, kSource, CheckXaTransactions},
      {"destination_connection", kOfTarget, kNothing, CheckDestinationConnection},
      {"destination_version", kOfTarget, kClickHouse, CheckDestinationVersion},
      {"table_patterns", kOfTables, kSource, CheckTablePatterns},
      {"tables_exist", kOfTables, kSource, CheckTablesExist},
      {"select_privilege", kOfTables, kTables, CheckSelectPrivilege},
      {"table_keys", kOfTables, kTables, CheckTableKeys},
      {"storage_engines", kOfTables, kTablesLog, CheckStorageEngines},
      {"system_versioning", kOfTables, kTables, CheckSystemVersioning},
      {"table_columns", kOfTables, kTables, CheckTableColumns},
      {"column_types", kOfTables, kTables, CheckColumnTypes},
      {"key_values", kOfTables, kTables, CheckKeyValues},
      {"shards", kOfTables, kTables, CheckShards},
      {"binlog_row_image", kOfTables, kTablesLog, CheckBinlogRowImage},
      {"foreign_key_cascades", kOfTables, kTablesLog, CheckForeignKeyCascades},
      {"snapshot_consistency", kOfTables, kTables, CheckSnapshotConsistency},
      {"snapshot_size", kOfTables, kTables, CheckSnapshotSize},
      {"destination_database", kOfTarget, kClickHouse, CheckDestinationDatabase},
      {"destination_privileges", kOfTarget, kTargets, CheckDestinationPrivileges},
      {"target_owners", kOfTarget, kNothing, CheckTargetOwners},
      {"target_tables", kOfTarget, kTablesTargets, CheckTargetTables},
      {"table_engines", kOfTarget, kNothing, CheckTableEngines},
      {"materialized_views", kOfTarget, kTargets, CheckMaterializedViews},
  };
  return checks;
}

CheckReport RunChecks(CheckContext& context) {
  CheckReport report;
  for (const NamedCheck& check : AllChecks()) {
    const size_t before = report.findings.size();
    RunOne(check, context, report.findings);
    for (size_t i = before; i < report.findings.size(); ++i) {
      report.findings[i].check = check.name;
      report.findings[i].group = check.group;
    }
    if (context.stop.stop_requested()) break;
  }
  std::ranges::stable_sort(report.findings, {}, &Finding::group);
  return report;
}

}  // namespace penstock::pipe
