#include <map>

#include "pipe/checks/checks.h"
#include "pipe/shards.h"
#include "pipe/table_patterns.h"

namespace penstock::pipe {
namespace {

void CheckSortingKeys(const TableMapping& mapping, std::vector<Finding>& findings) {
  const std::string name = mapping.source.ToString();
  if (mapping.use_custom_sorting_key && mapping.sorting_keys.empty()) {
    AddError(findings, fmt::format("{}: useCustomSortingKey is set and sortingKeys is empty", name),
             "Name the columns in sortingKeys");
  }
  if (!mapping.use_custom_sorting_key && !mapping.sorting_keys.empty()) {
    AddWarning(findings,
               fmt::format("{}: sortingKeys is ignored, since useCustomSortingKey is false", name),
               "Set useCustomSortingKey: true");
  }
}

}  // namespace

// Looks only at what the user wrote.
void CheckTableMapping(CheckContext& context, std::vector<Finding>& findings) {
  const size_t before = findings.size();
  const std::vector<TableMapping>& mappings = context.spec.tables;
  if (mappings.empty() && !HasPatterns(context.spec)) {
    AddError(findings, "no table is mapped", "Add at least one tableMapping");
  }
  std::map<model::TableName, int> sources;
  std::map<std::string, const TableMapping*> targets;
  for (const TableMapping& mapping : mappings) {
    CheckSortingKeys(mapping, findings);
    if (++sources[mapping.source] == 2) {
      AddError(findings, fmt::format("{} is mapped more than once", mapping.source.ToString()),
               "Keep one mapping for each source table");
    }
    const auto [target, is_new] = targets.emplace(mapping.target_table, &mapping);
    if (is_new || target->second->source == mapping.source) continue;
    const Status may = CheckMayShare(*target->second, mapping);
    if (!may) AddError(findings, may.error());
  }
  AddOkIfNone(findings, before, fmt::format("{} tables are mapped", mappings.size()));
}

}  // namespace penstock::pipe
