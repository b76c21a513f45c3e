#include "mysql/wire/replica_lag.h"
#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

constexpr uint32_t kMysqlRenamed = 80'026;

}  // namespace

// What a replica replicates is in its own log only where it is told to put it there.
void CheckReplicaUpdates(CheckContext& context, std::vector<Finding>& findings) {
  const SourceFacts& facts = *context.facts;
  const bool renamed = !facts.is_mariadb() && facts.server.number >= kMysqlRenamed;
  const std::string_view name = renamed ? "log_replica_updates" : "log_slave_updates";
  if (SourceVariable(context, name) == "ON") return AddOk(findings, fmt::format("{} is ON", name));
  // MariaDB keeps there what it has replicated, by whatever mechanism.
  if (facts.is_mariadb() && SourceVariable(context, "gtid_slave_pos").empty()) {
    return AddOk(findings, "the source has replicated nothing from another server");
  }
  const auto lag = mysql::ReplicaLag(*context.source, context.stop);
  if (!lag) {
    const std::string_view right =
        facts.is_mariadb() ? "SLAVE MONITOR ON *.*" : "REPLICATION CLIENT ON *.*";
    return AddUnanswered(findings,
                         fmt::format("whether the source is a replica ({} is OFF, so what a "
                                     "replica replicates is not in its log)",
                                     name),
                         lag.error(), Grant(context, right));
  }
  if (!*lag) return AddOk(findings, "the source is no replica");
  AddError(findings,
           fmt::format(
               "the source is a replica and {} is OFF: what it replicates is not in its log", name),
           Change(context, {.name = name, .value = "ON", .needs_restart = true}).text +
               "; or read from its primary");
}

}  // namespace penstock::pipe
