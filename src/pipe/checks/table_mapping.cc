#include <map>

#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

constexpr std::string_view kNotYet = "is not supported by this version";

void CheckSupported(const TableMapping& mapping, std::vector<Finding>& findings) {
  const std::string name = mapping.source.ToString();
  if (mapping.source.schema == "*" || mapping.source.table == "*") {
    AddError(findings, fmt::format("{}: a pattern as source table {}", name, kNotYet),
             "Name each table in a mapping of its own");
  }
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
  if (mappings.empty()) AddError(findings, "no table is mapped", "Add at least one tableMapping");
  std::map<model::TableName, int> sources;
  std::map<std::string, model::TableName> targets;
  for (const TableMapping& mapping : mappings) {
    CheckSupported(mapping, findings);
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
          "Give each source table a target of its own");
    }
  }
  AddOkIfNone(findings, before, fmt::format("{} tables are mapped", mappings.size()));
}

}  // namespace penstock::pipe
