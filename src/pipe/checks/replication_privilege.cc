#include "base/random.h"
#include "mysql/wire/binlog_dump.h"
#include "mysql/wire/start_position.h"
#include "pipe/checks/checks.h"

namespace penstock::pipe {

// Tried, not read from the grants: those come by roles, patterns and clouds' own privileges too.
// A random id, so that no replica of the same id is taken off the server's list.
void CheckReplicationPrivilege(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.source || !FollowsLog(context, findings)) return;
  const size_t before = findings.size();
  const Status registered =
      mysql::RegisterAsReplica(*context.source, RandomU32() | 0x8000'0000U, context.stop);
  if (!registered) AddError(findings, registered.error());
  const auto position = mysql::CurrentLogPosition(*context.source, context.stop);
  // That the log is off has been found already.
  if (!position && position.error().native_code != 0) AddError(findings, position.error());
  AddOkIfNone(findings, before, "the user may read the binary log and its position");
}

}  // namespace penstock::pipe
