#include <map>

#include "pipe/checks/checks.h"
#include "pipe/table_patterns.h"

namespace penstock::pipe {
namespace {

void CheckPlaces(const TableMapping& mapping, std::vector<Finding>& findings) {
  if (!IsPattern(mapping.source) || mapping.target_table.find("{table}") != std::string::npos) {
    return;
  }
  AddError(
      findings,
      fmt::format("{} may be many tables, which would all go into {}: there is no {{table}} in it",
                  mapping.source.ToString(), mapping.target_table),
      "Let targetTable hold {table}, which stands for the name of each");
}

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
  for (const TableMapping& mapping : context.spec.mappings) CheckPlaces(mapping, findings);
  std::map<model::TableName, int> sources;
  std::map<std::string, model::TableName> targets;
  for (const TableMapping& mapping : mappings) {
    CheckSortingKeys(mapping, findings);
    if (++sources[mapping.source] == 2) {
      AddError(findings, fmt::format("{} is mapped more than once", mapping.source.ToString()),
               "Keep one mapping for each source table");
    }
    const auto [target, is_new] = targets.emplace(mapping.target_table, mapping.source);
    if (!is_new && target->second != mapping.source) {
      AddError(
          findings,
          fmt::format("{} and {} are both mapped to the target table {}", target->second.ToString(),
                      mapping.source.ToString(), mapping.target_table),
          mapping.pattern ? "Let targetTable of the pattern hold {schema} too, or name one of the "
                            "tables in its excludedTables"
                          : "Give each source table a target of its own");
    }
  }
  AddOkIfNone(findings, before, fmt::format("{} tables are mapped", mappings.size()));
}

}  // namespace penstock::pipe
