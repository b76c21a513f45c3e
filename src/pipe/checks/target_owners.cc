#include "pipe/checks/checks.h"

namespace penstock::pipe {

// Two pipes would write into one table, each as if it were alone.
void CheckTargetOwners(CheckContext& context, std::vector<Finding>& findings) {
  const size_t before = findings.size();
  const auto& taken = context.ownership.targets_taken;
  if (!taken) return AddError(findings, taken.error());
  for (const auto& [target, error] : *taken) {
    const std::string& remedy = error.remedy;
    AddError(findings, error.message, remedy.empty() ? "Choose another targetTable" : remedy);
  }
  AddOkIfNone(findings, before, "no target belongs to another pipe");
}

}  // namespace penstock::pipe
