#include "pipe/checks/checks.h"

namespace penstock::pipe {

void CheckRowValueOptions(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.source || !FollowsLog(context, findings)) return;
  const size_t before = findings.size();
  const std::string options =
      SourceVariable(context, "binlog_row_value_options", findings).value_or("");
  if (findings.size() > before) return;
  if (options.empty()) return AddOk(findings, "JSON documents are logged whole");
  const std::string image = SourceVariable(context, "binlog_row_image", findings).value_or("FULL");
  if (findings.size() > before) return;
  if (image == "FULL") {
    return AddOk(findings,
                 "JSON documents are logged as differences from the row before, which "
                 "are applied");
  }
  AddError(findings,
           fmt::format("binlog_row_value_options is {} and binlog_row_image is {}: the log holds "
                       "differences of JSON documents without the documents they apply to",
                       options, image),
           "SET GLOBAL binlog_row_image='FULL' or binlog_row_value_options='', and in the server's "
           "configuration; then reconnect the applications that write");
}

}  // namespace penstock::pipe
