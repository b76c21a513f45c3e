#include "pipe/checks/checks.h"

namespace penstock::pipe {

// Opens the connection that the other checks of the source use.
void CheckSourceConnection(CheckContext& context, std::vector<Finding>& findings) {
  Result<mysql::Connection> connection =
      mysql::Connection::Open(context.spec.source, "penstock check", context.stop);
  if (!connection) return AddError(findings, connection.error());
  AddOk(findings, fmt::format("connected to {} port {} as {}", context.spec.source.host,
                              context.spec.source.port, context.spec.source.user));
  context.source = std::move(*connection);
}

}  // namespace penstock::pipe
