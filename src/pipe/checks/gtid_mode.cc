#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

// The four modes are gone through one by one, on a server that writes.
constexpr std::string_view kSteps =
    "SET PERSIST enforce_gtid_consistency = WARN; SET PERSIST enforce_gtid_consistency = ON; "
    "SET PERSIST gtid_mode = OFF_PERMISSIVE; SET PERSIST gtid_mode = ON_PERMISSIVE; "
    "SET PERSIST gtid_mode = ON;";
constexpr uint32_t kHasPersist = 80'000;

Remedy HowToTurnOn(const CheckContext& context) {
  const SourceFacts& facts = *context.facts;
  if (facts.hosting != Hosting::kSelf || facts.server.number < kHasPersist) {
    Remedy remedy = Change(context, {.name = "gtid_mode", .value = "ON", .needs_restart = true});
    remedy.text += "; enforce_gtid_consistency=ON before it";
    return remedy;
  }
  return {.text =
              "Run at the source, each when the one before is through everywhere (WARN: look "
              "into the error log; ON_PERMISSIVE: wait until SHOW STATUS LIKE "
              "'Ongoing_anonymous_transaction_count' is 0); the pipe goes over by itself",
          .statement = std::string(kSteps)};
}

}  // namespace

// What follows from the mode chosen by the pipe is for start_position to say.
void CheckGtidMode(CheckContext& context, std::vector<Finding>& findings) {
  if (context.facts->is_mariadb()) return AddOk(findings, "MariaDB has GTIDs always");
  const std::string mode = SourceVariable(context, "gtid_mode");
  if (mode == "ON") return AddOk(findings, "gtid_mode is ON");
  AddWarning(findings,
             fmt::format("gtid_mode is {}: the log is followed by file and offset, which hold on "
                         "this one server; after a failover the pipe has to be resynced",
                         mode.empty() ? "not known to this server" : mode),
             HowToTurnOn(context));
}

}  // namespace penstock::pipe
