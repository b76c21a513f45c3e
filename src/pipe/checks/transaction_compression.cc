#include "pipe/checks/checks.h"

namespace penstock::pipe {

// MySQL compresses whole transactions, MariaDB single events.
void CheckTransactionCompression(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.source || !FollowsLog(context, findings)) return;
  const bool mariadb = context.source->server().flavour == mysql::Flavour::kMariadb;
  const std::string_view variable = mariadb ? "log_bin_compress" : "binlog_transaction_compression";
  const size_t before = findings.size();
  const std::string value = SourceVariable(context, variable, findings).value_or("0");
  if (findings.size() > before) return;
  if (value == "0") return AddOk(findings, "the log is not compressed");
  AddError(findings, fmt::format("{} is ON: this version cannot read a compressed log", variable),
           fmt::format("SET GLOBAL {}=OFF, and in the server's configuration", variable));
}

}  // namespace penstock::pipe
