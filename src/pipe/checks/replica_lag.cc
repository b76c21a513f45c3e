#include "mysql/wire/replica_lag.h"

#include "mysql/wire/errors.h"
#include "pipe/checks/checks.h"

namespace penstock::pipe {

// The load looks at the lag only where it is to be held back by it.
void CheckReplicaLag(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.spec.settings.snapshot_max_replica_lag_seconds) {
    return AddOk(findings, "not needed: no snapshotMaxReplicaLagSeconds");
  }
  const auto lag = mysql::ReplicaLag(*context.source, context.stop);
  if (!lag && lag.error().native_code == mysql::kErrSpecificAccessDenied) {
    return AddWarning(findings,
                      "the user may not ask for the source's lag as a replica, so "
                      "snapshotMaxReplicaLagSeconds holds nothing back",
                      "Run at the source",
                      Grant(context, context.facts->is_mariadb() ? "SLAVE MONITOR ON *.*"
                                                                 : "REPLICATION CLIENT ON *.*"));
  }
  if (!lag) return AddUnanswered(findings, "the source's lag as a replica", lag.error());
  if (!*lag) {
    return AddWarning(
        findings,
        "the source replicates no other server, so snapshotMaxReplicaLagSeconds holds "
        "nothing back",
        "Leave snapshotMaxReplicaLagSeconds out, or read from a replica");
  }
  AddOk(findings,
        **lag == mysql::kReplicationStopped
            ? "replication is stopped at the source: no partition is begun until it runs"
            : fmt::format("the source is {} s behind the server it replicates", (*lag)->count()));
}

}  // namespace penstock::pipe
