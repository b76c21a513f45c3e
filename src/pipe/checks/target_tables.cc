#include "clickhouse/quote.h"
#include "pipe/checks/checks.h"

namespace penstock::pipe {

// A load never writes into a table that holds rows: whose they are nobody knows.
void CheckTargetTables(CheckContext& context, std::vector<Finding>& findings) {
  const size_t before = findings.size();
  const auto& taken = context.ownership.targets_taken;
  const Targets& all_in_use = context.ownership.targets_in_use;
  std::vector<clickhouse::TableSpec> targets;
  std::set<std::string> looked_at;
  ForEachTable(context, [&](const TableMapping& mapping, const model::Table& table) {
    if (!context.existing->tables.contains(mapping.target_table)) return;
    if (taken && taken->contains(mapping.target_table)) return;  // said by target_owners
    const bool in_use = all_in_use.contains(mapping.target_table);
    if (!looked_at.insert(mapping.target_table).second && !in_use) return;  // `shards` sees to it
    auto target = TargetTable(context.spec, mapping, table);
    if (target) targets.push_back(*std::move(target));  // else said by column_types
  });
  if (targets.empty()) return AddOk(findings, "no free target table exists yet");
  const auto misfits = FindMisfits(*context.destination, targets, all_in_use, context.stop);
  if (!misfits) return AddUnanswered(findings, "the target tables", misfits.error());
  for (const Error& misfit : *misfits) AddError(findings, misfit);
  AddOkIfNone(findings, before,
              fmt::format("{} target tables exist; they are {}empty, fit, and will be used",
                          looked_at.size(), all_in_use.empty() ? "" : "the pipe's or "));
}

}  // namespace penstock::pipe
