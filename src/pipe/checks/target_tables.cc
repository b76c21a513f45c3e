#include "clickhouse/quote.h"
#include "pipe/checks/checks.h"

namespace penstock::pipe {

// A load never writes into a table that holds rows: whose they are nobody knows.
void CheckTargetTables(CheckContext& context, std::vector<Finding>& findings) {
  const size_t before = findings.size();
  std::vector<clickhouse::TableSpec> targets;
  ForEachTable(context, [&](const TableMapping& mapping, const model::Table& table) {
    if (!context.existing->tables.contains(mapping.target_table)) return;
    auto target = TargetTable(context.spec, mapping, table);
    if (target) targets.push_back(*std::move(target));  // else said by column_types
  });
  if (targets.empty()) return AddOk(findings, "no target table exists yet");
  const auto misfits = FindMisfits(*context.destination, targets, context.stop);
  if (!misfits) return AddUnanswered(findings, "the target tables", misfits.error());
  for (const Error& misfit : *misfits) AddError(findings, misfit);
  AddOkIfNone(
      findings, before,
      fmt::format("{} target tables exist; they are empty, fit, and will be used", targets.size()));
}

}  // namespace penstock::pipe
