#include "pipe/checks/check.h"

#include <algorithm>

#include "pipe/checks/checks.h"

namespace penstock::pipe {

bool CheckReport::ok() const {
  return std::ranges::none_of(
      findings, [](const Finding& finding) { return finding.severity == Severity::kError; });
}

const std::vector<NamedCheck>& AllChecks() {
  static const std::vector<NamedCheck> checks = {
      {"table_mapping", CheckTableMapping},
      {"source_connection", CheckSourceConnection},
      {"source_version", CheckSourceVersion},
      {"binlog_enabled", CheckBinlogEnabled},
      {"binlog_format", CheckBinlogFormat},
      {"binlog_row_metadata", CheckBinlogRowMetadata},
      {"row_value_options", CheckRowValueOptions},
      {"transaction_compression", CheckTransactionCompression},
      {"server_id", CheckServerId},
      {"replication_privilege", CheckReplicationPrivilege},
      {"start_position", CheckStartPosition},
      {"xa_transactions", CheckXaTransactions},
      {"tables_exist", CheckTablesExist},
      {"select_privilege", CheckSelectPrivilege},
      {"table_keys", CheckTableKeys},
      {"system_versioning", CheckSystemVersioning},
      {"table_columns", CheckTableColumns},
      {"binlog_row_image", CheckBinlogRowImage},
      {"snapshot_consistency", CheckSnapshotConsistency},
      {"replica_lag", CheckReplicaLag},
      {"foreign_key_cascades", CheckForeignKeyCascades},
      {"destination_connection", CheckDestinationConnection},
      {"destination_version", CheckDestinationVersion},
      {"destination_database", CheckDestinationDatabase},
      {"destination_privileges", CheckDestinationPrivileges},
      {"column_types", CheckColumnTypes},
      {"key_values", CheckKeyValues},
      {"target_tables", CheckTargetTables},
      {"table_engines", CheckTableEngines},
  };
  return checks;
}

CheckReport RunChecks(CheckContext& context) {
  CheckReport report;
  for (const NamedCheck& check : AllChecks()) {
    const size_t before = report.findings.size();
    if (context.stop.stop_requested()) {
      AddError(report.findings, "stopped before this check", "");
    } else {
      check.run(context, report.findings);
    }
    for (size_t i = before; i < report.findings.size(); ++i) report.findings[i].check = check.name;
    if (context.stop.stop_requested()) break;
  }
  return report;
}

}  // namespace penstock::pipe
