#include "pipe/checks/checks.h"

namespace penstock::pipe {

void CheckRowValueOptions(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.source || !FollowsLog(context, findings)) return;
  const size_t before = findings.size();
  const std::string options =
      SourceVariable(context, "binlog_row_value_options", findings).value_or("");
  if (findings.size() > before) return;
  if (options.empty()) return AddOk(findings, "JSON documents are logged whole");
  AddError(
      findings,
      fmt::format("binlog_row_value_options is {}: the log holds differences of JSON documents, "
                  "which this version cannot read",
                  options),
      "SET GLOBAL binlog_row_value_options='', and in the server's configuration");
}

}  // namespace penstock::pipe
