#include "pipe/checks/checks.h"

namespace penstock::pipe {

// Rows are decoded by the recorded definition. By their names the log's columns are compared with
// it wherever a table begins in the log; without names, only their types are.
void CheckBinlogRowMetadata(CheckContext& context, std::vector<Finding>& findings) {
  const std::string metadata = SourceVariable(context, "binlog_row_metadata");
  if (metadata == "FULL") return AddOk(findings, "binlog_row_metadata is FULL");
  constexpr std::string_view kCost =
      "the log does not name columns, and a column that is added quarantines its table; a change "
      "that no statement in the log tells of (sql_log_bin=0) and that leaves the types alike, two "
      "columns exchanged say, goes unnoticed";
  if (metadata.empty()) {
    return AddWarning(findings, fmt::format("this server has no binlog_row_metadata: {}", kCost),
                      "Resync a table (penstock resync) after such a change; MySQL 8.0.1 and "
                      "MariaDB 10.5 have it");
  }
  AddWarning(findings, fmt::format("binlog_row_metadata is {}: {}", metadata, kCost),
             Change(context, {.name = "binlog_row_metadata", .value = "FULL"}));
}

}  // namespace penstock::pipe
