#include "clickhouse/quote.h"
#include "pipe/checks/checks.h"

namespace penstock::pipe {

// Where CHECK GRANT is not known, the first statement of the pipe will tell.
void CheckDestinationPrivileges(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.destination) return;
  const size_t before = findings.size();
  const std::string scope = clickhouse::QuoteIdentifier(context.spec.database) + ".*";
  for (const std::string_view privilege :
       {"CREATE DATABASE", "CREATE TABLE", "DROP TABLE", "INSERT", "SELECT", "TRUNCATE"}) {
    const auto rows = context.destination->Rows(
        fmt::format("CHECK GRANT {} ON {}", privilege, scope), context.stop);
    if (!rows || rows->empty() || rows->front().empty() || rows->front().front() != "0") continue;
    AddError(findings, fmt::format("the ClickHouse user may not {} on {}", privilege, scope),
             fmt::format("GRANT {} ON {} TO the user", privilege, scope));
  }
  AddOkIfNone(findings, before, "no missing privilege was found");
}

}  // namespace penstock::pipe
