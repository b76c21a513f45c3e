#include <fmt/ranges.h>

#include "mysql/wire/errors.h"
#include "mysql/wire/start_position.h"
#include "pipe/checks/checks.h"

namespace penstock::pipe {

// A prepared transaction counts as executed and its rows are invisible: a snapshot would miss them.
void CheckXaTransactions(CheckContext& context, std::vector<Finding>& findings) {
  const auto prepared = mysql::PreparedXaTransactions(*context.source, context.stop);
  if (!prepared && prepared.error().native_code == mysql::kErrXaRecover) {
    return AddWarning(findings,
                      "the user may not ask for prepared XA transactions: rows of one that is "
                      "prepared while the pipe starts would be missed",
                      "Have it granted, or use no XA transactions",
                      Grant(context, "XA_RECOVER_ADMIN ON *.*"));
  }
  if (!prepared) return AddUnanswered(findings, "prepared XA transactions", prepared.error());
  if (prepared->empty()) return AddOk(findings, "no XA transaction is prepared");
  std::vector<std::string> ids;
  for (const auto& one : *prepared) ids.push_back(one.id);
  AddWarning(
      findings,
      fmt::format("{} prepared XA transactions are open: {}; the pipe starts when they are not",
                  ids.size(), fmt::join(ids, ", ")),
      "XA COMMIT or XA ROLLBACK them");
}

}  // namespace penstock::pipe
