#include "pipe/checks/checks.h"

namespace penstock::pipe {

// TIMESTAMP is read as an instant in UTC by a session of that zone: where a proxy throws the
// session's setting away, rows of the snapshot would differ from those of the log.
void CheckTimeZone(CheckContext& context, std::vector<Finding>& findings) {
  const auto rows = context.source->Query("SELECT @@session.time_zone", context.stop);
  if (!rows) return AddError(findings, rows.error());
  const std::string session = rows->empty() ? "" : rows->front().front().value_or("");
  if (session != "+00:00") {
    return AddError(findings,
                    fmt::format("the session's time_zone is {} though it was set to +00:00: "
                                "something between penstock and the source changes statements or "
                                "sessions, and every TIMESTAMP would be shifted",
                                session),
                    "Connect to the server itself, or let the proxy pass SET time_zone and keep "
                    "each session on one connection");
  }
  const std::string zone = SourceVariable(context, "time_zone");
  AddOk(findings,
        fmt::format("sessions read TIMESTAMP as UTC; DATETIME is copied as the wall clock it "
                    "holds (the source's own zone is {})",
                    zone == "SYSTEM" ? SourceVariable(context, "system_time_zone") : zone));
}

}  // namespace penstock::pipe
