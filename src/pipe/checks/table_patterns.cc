#include "pipe/table_patterns.h"

#include <fmt/ranges.h>

#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

struct Fitting {
  size_t tables = 0;
  std::vector<std::string> others;  // views and the like
};

void CheckFitting(const CheckContext& context, const TableMapping& mapping, const Fitting& fitting,
                  std::vector<Finding>& findings) {
  const std::string name = mapping.source.ToString();
  if (!fitting.others.empty()) {
    AddWarning(findings,
               fmt::format("{}: left out, since they are no tables: {}", name,
                           fmt::join(fitting.others, ", ")),
               "Name them in excludedTables of the mapping, to be told no more");
  }
  if (fitting.tables != 0) {
    return AddOk(findings, fmt::format("{}: {} tables", name, fitting.tables));
  }
  const std::string none =
      fmt::format("no table of the source fits {}, or the user may not see it", name);
  const std::string remedy = "Check the pattern, and grant SELECT on the tables";
  if (context.spec.settings.auto_add_tables && !context.spec.tables.empty()) {
    return AddWarning(findings, none + ": those that come will be added", remedy);
  }
  AddError(findings, none, remedy);
}

}  // namespace

// What the patterns of the mappings stand for.
void CheckTablePatterns(CheckContext& context, std::vector<Finding>& findings) {
  if (!HasPatterns(context.spec)) return AddOk(findings, "every table is named");
  const auto listed = ListForPatterns(*context.source, context.spec, context.stop);
  if (!listed) return AddError(findings, listed.error());
  std::vector<Fitting> fitting(context.spec.mappings.size());
  for (const auto& [name, is_table] : listed->entries) {
    const auto pattern = PatternOf(context.spec, name, listed->names_ignore_case);
    if (!pattern) continue;
    if (is_table) ++fitting[*pattern].tables;
    if (!is_table) fitting[*pattern].others.push_back(name.ToString());
  }
  for (size_t i = 0; i < fitting.size(); ++i) {
    const TableMapping& mapping = context.spec.mappings[i];
    if (IsPattern(mapping.source)) CheckFitting(context, mapping, fitting[i], findings);
  }
}

}  // namespace penstock::pipe
