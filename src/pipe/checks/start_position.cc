#include "mysql/wire/start_position.h"

#include "pipe/checks/checks.h"

namespace penstock::pipe {

void CheckStartPosition(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.source || !FollowsLog(context, findings)) return;
  const auto mechanism = mysql::ChooseMechanism(
      *context.source, context.spec.settings.replication_mechanism, context.stop);
  if (!mechanism) return AddError(findings, mechanism.error());
  const auto position = mysql::ReadStartPosition(*context.source, *mechanism, context.stop);
  if (!position) return AddError(findings, position.error());
  AddOk(findings,
        fmt::format("by {}, now at {}", model::MechanismName(*mechanism), position->ToString()));
}

}  // namespace penstock::pipe
