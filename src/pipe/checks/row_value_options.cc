#include "pipe/checks/checks.h"

namespace penstock::pipe {

void CheckRowValueOptions(CheckContext& context, std::vector<Finding>& findings) {
  const std::string options = SourceVariable(context, "binlog_row_value_options");
  if (options.empty()) return AddOk(findings, "JSON documents are logged whole");
  const std::string image = SourceVariable(context, "binlog_row_image");
  if (image == "FULL") {
    return AddOk(findings,
                 "JSON documents are logged as differences from the row before, which "
                 "are applied");
  }
  AddError(findings,
           fmt::format("binlog_row_value_options is {} and binlog_row_image is {}: the log holds "
                       "differences of JSON documents without the documents they apply to",
                       options, image),
           Change(context, {.name = "binlog_row_image", .value = "FULL", .by_session = true}));
}

}  // namespace penstock::pipe
