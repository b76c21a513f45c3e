#include "pipe/checks/checks.h"

namespace penstock::pipe {

void CheckServerId(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.source || !FollowsLog(context, findings)) return;
  const size_t before = findings.size();
  const std::string source_id = SourceVariable(context, "server_id", findings).value_or("0");
  if (findings.size() > before) return;
  if (source_id == "0") {
    AddError(findings, "the source's server_id is 0: it serves its log to nobody",
             "SET GLOBAL server_id=1 (any number of its own), and in the server's configuration");
  }
  const std::optional<uint32_t> own = context.spec.server_id;
  if (own == 0U || (own && std::to_string(*own) == source_id)) {
    AddError(findings, fmt::format("the pipe's serverId {} is 0 or the source's own", *own),
             "Choose a serverId that no other server or replica has, or leave it out");
  }
  AddOkIfNone(findings, before, fmt::format("the source's server_id is {}", source_id));
}

}  // namespace penstock::pipe
