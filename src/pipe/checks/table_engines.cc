#include <fmt/ranges.h>

#include "clickhouse/quote.h"
#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

// Materialized views on targets that are there: they are given every insert, one that is sent again
// too.
void CheckViews(CheckContext& context, std::vector<Finding>& findings) {
  const auto rows = context.destination->Rows(
      fmt::format("SELECT name, arrayJoin(arrayMap((d, t) -> concat(d, '.', t), "
                  "dependencies_database, dependencies_table)) FROM system.tables WHERE "
                  "database = {}",
                  clickhouse::QuoteString(context.spec.database)),
      context.stop);
  if (!rows) return AddError(findings, rows.error());
  std::vector<std::string> views;
  for (const auto& row : *rows) {
    const bool is_target = context.existing->tables.contains(row.at(0));
    if (is_target) views.push_back(fmt::format("{} on {}", row.at(1), row.at(0)));
  }
  if (views.empty()) return;
  AddWarning(findings,
             fmt::format("materialized views are given changes at least once, after a crash or a "
                         "lost reply again: {}",
                         fmt::join(views, ", ")),
             "Let them write to a ReplacingMergeTree by key and version");
}

}  // namespace

// What is promised of the tables that keep every change, and of views.
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
  if (!context.destination || !context.existing) return;
  if (!context.existing->tables.empty()) CheckViews(context, findings);
  AddOkIfNone(findings, before, "every engine keeps what it is given, once");
}

}  // namespace penstock::pipe
