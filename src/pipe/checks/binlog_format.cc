#include "pipe/checks/checks.h"

namespace penstock::pipe {

// Sessions may choose another format for themselves; their statements show up in the stream, which
// then stops. Servers without the variable know only ROW.
void CheckBinlogFormat(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.source || !FollowsLog(context, findings)) return;
  const size_t before = findings.size();
  const std::string format = SourceVariable(context, "binlog_format", findings).value_or("ROW");
  if (findings.size() > before) return;
  if (format == "ROW") return AddOk(findings, "binlog_format is ROW");
  AddError(
      findings,
      fmt::format("binlog_format is {}: the log holds statements and not the rows they changed",
                  format),
      "SET GLOBAL binlog_format='ROW', and in the server's configuration; then reconnect the "
      "applications that write");
}

}  // namespace penstock::pipe
