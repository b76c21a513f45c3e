#include <algorithm>

#include "pipe/checks/checks.h"
#include "pipe/setup.h"

namespace penstock::pipe {

// In a sorting key no rule may change a value, since two rows could become one: a row that holds
// such a value quarantines the table before it is written.
void CheckKeyValues(CheckContext& context, std::vector<Finding>& findings) {
  const size_t before = findings.size();
  ForEachTable(context, [&](const TableMapping& mapping, const model::Table& table) {
    const typemap::TargetOptions options = TargetOptionsOf(context.spec, mapping);
    const auto key = typemap::SortingKey(table, options);
    if (!key) return;  // said by table_columns
    for (const std::string& name : *key) {
      const auto column = std::ranges::find(table.columns, name, &model::Column::name);
      if (column == table.columns.end()) continue;  // of those that tell the source
      const typemap::TypeOptions types = options.TypesOf(table, name);
      const std::string rule = typemap::RangeRule(*column, types);
      const auto mapped = typemap::MapColumn(*column, types, true);
      if (rule.empty() || !mapped) continue;
      AddWarning(
          findings,
          fmt::format("{}.{} is in the sorting key, and {} cannot hold each of its values "
                      "({}); a row with such a value quarantines the table before it is written",
                      table.name.ToString(), name, mapped->declared_type, rule),
          fmt::format("If there may be such values, map it to text: columnOverrides: "
                      "[{{sourceColumn: {}, targetType: String}}]",
                      name));
    }
  });
  AddOkIfNone(findings, before, "the sorting keys hold every value of their columns");
}

}  // namespace penstock::pipe
