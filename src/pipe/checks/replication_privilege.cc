#include "base/random.h"
#include "mysql/wire/binlog_dump.h"
#include "mysql/wire/errors.h"
#include "mysql/wire/start_position.h"
#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

constexpr uint32_t kMariadbRenamed = 100'502;

void AddMissing(const CheckContext& context, const Error& error, std::string_view needed_for,
                std::string_view right, std::vector<Finding>& findings) {
  // A connection that is open is not refused for its password.
  if (!IsRefusal(error) && error.native_code != mysql::kErrAccessDenied) {
    return AddError(findings, error);
  }
  AddError(findings, fmt::format("the user may not {}: {}", needed_for, error.message),
           "Run at the source", Grant(context, fmt::format("{} ON *.*", right)));
}

}  // namespace

// Tried, not read from the grants: those come by roles, patterns and clouds' own privileges too.
// A random id, so that no replica of the same id is taken off the server's list.
void CheckReplicationPrivilege(CheckContext& context, std::vector<Finding>& findings) {
  const size_t before = findings.size();
  const SourceFacts& facts = *context.facts;
  const Status registered =
      mysql::RegisterAsReplica(*context.source, RandomU32() | 0x8000'0000U, context.stop);
  if (!registered) {
    AddMissing(context, registered.error(), "read the binary log", "REPLICATION SLAVE", findings);
  }
  const auto position = mysql::CurrentLogPosition(*context.source, context.stop);
  // That the log is off has been found already.
  if (!position && position.error().native_code != 0) {
    const bool renamed = facts.is_mariadb() && facts.server.number >= kMariadbRenamed;
    AddMissing(context, position.error(), "ask where the log ends",
               renamed ? "BINLOG MONITOR" : "REPLICATION CLIENT", findings);
  }
  AddOkIfNone(findings, before, "the user may read the binary log and its position");
}

}  // namespace penstock::pipe
