#include "pipe/checks/checks.h"

namespace penstock::pipe {

void CheckServerId(CheckContext& context, std::vector<Finding>& findings) {
  const size_t before = findings.size();
  const std::string source_id = SourceVariable(context, "server_id");
  if (source_id == "0") {
    AddError(findings, "the source's server_id is 0: it serves its log to nobody",
             Change(context, {.name = "server_id", .value = "1"}));
  }
  const std::optional<uint32_t> own = context.spec.server_id;
  if (own && std::to_string(*own) == source_id) {
    AddError(findings, fmt::format("the pipe's serverId {} is the source's own", *own),
             "Choose a serverId that no other server or replica has, or leave it out");
  }
  AddOkIfNone(findings, before, fmt::format("the source's server_id is {}", source_id));
}

}  // namespace penstock::pipe
