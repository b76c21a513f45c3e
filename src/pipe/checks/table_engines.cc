#include "pipe/checks/checks.h"

namespace penstock::pipe {

// What is promised of the tables that keep every change.
void CheckTableEngines(CheckContext& context, std::vector<Finding>& findings) {
  const size_t before = findings.size();
  const bool by_swap = context.spec.settings.mode == ReplicationMode::kSnapshot;
  for (const TableMapping& mapping : context.spec.tables) {
    if (mapping.engine == clickhouse::Engine::kNull && by_swap) {
      AddError(findings,
               fmt::format("{}: a load without a stream fills a table beside the target, of which "
                           "views on a Null table see nothing",
                           mapping.source.ToString()),
               "Use another tableEngine, or replicationMode cdc");
    } else if (mapping.engine == clickhouse::Engine::kNull) {
      AddWarning(findings,
                 fmt::format("{}: changes reach a Null table, and the materialized views on it, at "
                             "least once: after a crash or a lost reply some come again",
                             mapping.source.ToString()),
                 "Use tableEngine: MergeTree for every change exactly once");
    }
  }
  AddOkIfNone(findings, before, "every engine keeps what it is given, once");
}

}  // namespace penstock::pipe
