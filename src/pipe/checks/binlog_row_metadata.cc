#include "pipe/checks/checks.h"

namespace penstock::pipe {

// Of use later, when a column is added. Servers without the variable log no names.
void CheckBinlogRowMetadata(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.source || !FollowsLog(context, findings)) return;
  const size_t before = findings.size();
  const auto metadata = SourceVariable(context, "binlog_row_metadata", findings);
  if (findings.size() > before) return;
  if (metadata == "FULL") return AddOk(findings, "binlog_row_metadata is FULL");
  constexpr std::string_view kThen =
      "the log does not name columns, and a column that is added quarantines its table";
  if (!metadata) return AddOk(findings, std::string(kThen));
  AddWarning(findings, fmt::format("binlog_row_metadata is {}: {}", *metadata, kThen),
             "SET GLOBAL binlog_row_metadata='FULL', and in the server's configuration");
}

}  // namespace penstock::pipe
