#include "pipe/checks/checks.h"

namespace penstock::pipe {

// Sessions may choose another format for themselves; their statements show up in the stream, which
// then stops. Servers without the variable know only ROW.
void CheckBinlogFormat(CheckContext& context, std::vector<Finding>& findings) {
  const std::string format = SourceVariable(context, "binlog_format");
  if (format == "ROW" || format.empty()) return AddOk(findings, "binlog_format is ROW");
  AddError(
      findings,
      fmt::format("binlog_format is {}: the log holds statements and not the rows they changed",
                  format),
      Change(context, {.name = "binlog_format", .value = "ROW", .by_session = true}));
}

}  // namespace penstock::pipe
