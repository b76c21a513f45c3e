#include "pipe/checks/checks.h"

namespace penstock::pipe {

// Opens the connection that the other checks of the source use.
void CheckSourceConnection(CheckContext& context, std::vector<Finding>& findings) {
  Result<mysql::Connection> connection =
      mysql::Connection::Open(context.spec.source, "penstock check", context.stop);
  if (!connection) return AddError(findings, connection.error());
  const mysql::Endpoint& source = context.spec.source;
  const bool local = source.host.starts_with('/');
  AddOk(findings, fmt::format("connected to {}{} as {}", source.host,
                              local ? "" : fmt::format(" port {}", source.port), source.user));
  context.source = std::move(*connection);
}

}  // namespace penstock::pipe
