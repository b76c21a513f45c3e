#include "pipe/checks/checks.h"

namespace penstock::pipe {

// Without a stream nothing heals what changes while partitions are read one after the other.
void CheckSnapshotConsistency(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.source) return;
  if (context.spec.settings.mode != ReplicationMode::kSnapshot) {
    return AddOk(findings, "what changes during the snapshot comes by the log");
  }
  AddWarning(findings,
             "a pipe of replicationMode snapshot reads each partition at a moment of its own: rows "
             "written meanwhile may be missing or there twice",
             "Write nothing to the tables while it loads, or use replicationMode cdc");
}

}  // namespace penstock::pipe
