#include "pipe/checks/checks.h"

namespace penstock::pipe {

void CheckBinlogRowImage(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.source || !FollowsLog(context, findings)) return;
  const size_t before = findings.size();
  const std::string image = SourceVariable(context, "binlog_row_image", findings).value_or("FULL");
  if (findings.size() > before) return;
  if (image == "FULL" || image == "FULL_NODUP") {
    return AddOk(findings, fmt::format("binlog_row_image is {}", image));
  }
  AddError(
      findings,
      fmt::format("binlog_row_image is {}: the log does not hold whole rows, which this version "
                  "needs",
                  image),
      "SET GLOBAL binlog_row_image='FULL', and in the server's configuration; then reconnect "
      "the applications that write");
}

}  // namespace penstock::pipe
