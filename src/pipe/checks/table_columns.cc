#include <fmt/ranges.h>

#include <algorithm>

#include "clickhouse/ddl.h"
#include "pipe/checks/checks.h"
#include "pipe/setup.h"

namespace penstock::pipe {
namespace {

void CheckExcluded(const TableMapping& mapping, const model::Table& table,
                   std::vector<Finding>& findings) {
  for (const std::string& name : mapping.excluded_columns) {
    if (std::ranges::find(table.columns, name, &model::Column::name) != table.columns.end()) {
      continue;
    }
    AddError(findings,
             fmt::format("{}: excludedColumns names {}, which the table does not have",
                         table.name.ToString(), name),
             "Check the name, in upper and lower case too");
  }
}

void CheckMetaNames(const TableMapping& mapping, const model::Table& table,
                    std::vector<Finding>& findings) {
  for (const model::Column& column : table.columns) {
    if (!clickhouse::IsMetaColumn(column.name) || IsExcluded(mapping, column.name)) continue;
    AddError(findings,
             fmt::format("{} has a column {}, a name that every target table needs for itself",
                         table.name.ToString(), column.name),
             "Rename the column, or name it in excludedColumns");
  }
}

}  // namespace

// The columns that the mapping names, and names that are ours.
void CheckTableColumns(CheckContext& context, std::vector<Finding>& findings) {
  const size_t before = findings.size();
  ForEachTable(context, [&](const TableMapping& mapping, const model::Table& table) {
    CheckExcluded(mapping, table, findings);
    CheckMetaNames(mapping, table, findings);
    const typemap::TargetOptions options = TargetOptionsOf(context.spec, mapping);
    const Status overrides = typemap::CheckOverrides(table, options);
    if (!overrides) AddError(findings, overrides.error().In(table.name.ToString()));
    if (table.key.empty() && !options.whole_row_may_be_key) return;  // said by table_keys
    const auto key = typemap::SortingKey(table, options);
    if (!key) {
      AddError(findings, key.error());
    } else if (mapping.use_custom_sorting_key && *key != mapping.sorting_keys) {
      AddOk(findings, fmt::format("{}: the sorting key is ({}), since it must hold the table's key",
                                  table.name.ToString(), fmt::join(*key, ", ")));
    }
  });
  AddOkIfNone(findings, before, "columns named in the mappings exist");
}

}  // namespace penstock::pipe
