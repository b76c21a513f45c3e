#include "mysql/wire/start_position.h"

#include "pipe/checks/checks.h"
#include "pipe/setup.h"

namespace penstock::pipe {

void CheckStartPosition(CheckContext& context, std::vector<Finding>& findings) {
  const auto mechanism = mysql::ChooseMechanism(
      *context.source, context.spec.settings.MechanismWanted(), context.stop);
  if (!mechanism) return AddError(findings, mechanism.error());
  if (const auto& given = context.spec.settings.start_position) {
    const auto start = GivenStart(*context.source, *given, *mechanism, context.stop);
    if (!start) return AddError(findings, start.error());
    return AddOk(findings, fmt::format("by {}, from the given {}", model::MechanismName(*mechanism),
                                       start->ToString()));
  }
  const auto position = mysql::PeekStartPosition(*context.source, *mechanism, context.stop);
  if (!position) return AddError(findings, position.error());
  if (!*position) {
    return AddWarning(findings,
                      "by file; to read its start position the pipe takes a global read lock "
                      "(FLUSH TABLES WITH READ LOCK) for a moment",
                      "With these (from MySQL 8.0 on) no lock is needed",
                      Grant(context, "BACKUP_ADMIN ON *.*") + " " +
                          Grant(context, "SELECT ON performance_schema.log_status"));
  }
  AddOk(findings,
        fmt::format("by {}, now at {}", model::MechanismName(*mechanism), (*position)->ToString()));
}

}  // namespace penstock::pipe
