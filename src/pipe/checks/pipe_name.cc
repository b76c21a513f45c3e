#include "pipe/checks/checks.h"

namespace penstock::pipe {

void CheckPipeName(CheckContext& context, std::vector<Finding>& findings) {
  if (context.ownership.name_taken) return AddError(findings, *context.ownership.name_taken);
  AddOk(findings, "no other pipe has this name");
}

}  // namespace penstock::pipe
