#include "pipe/checks/checks.h"

namespace penstock::pipe {

void CheckBinlogEnabled(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.source || !FollowsLog(context, findings)) return;
  const size_t before = findings.size();
  const std::optional<std::string> log_bin = SourceVariable(context, "log_bin", findings);
  if (findings.size() > before) return;
  if (log_bin == "1") return AddOk(findings, "the binary log is on");
  AddError(findings, "the source's binary log is off (log_bin=OFF), so changes cannot be followed",
           "Start the source with log_bin (and server_id) in its configuration");
}

}  // namespace penstock::pipe
