#include <algorithm>
#include <map>

#include "clickhouse/quote.h"
#include "pipe/checks/checks.h"
#include "pipe/setup.h"

namespace penstock::pipe {
namespace {

constexpr char kExclude[] = "Name the column in excludedColumns";
constexpr uint32_t kTime64Version = 2506;

bool NeedsNewer(const typemap::ColumnMapping& mapping, uint32_t version) {
  return version != 0 && version < kTime64Version && mapping.native_type.starts_with("Time64");
}

// Types that a mapping chose, with a column that has it.
using ChosenTypes = std::map<std::string, std::string>;

void CollectChosen(const model::Table& table, const typemap::TargetOptions& options,
                   ChosenTypes& types) {
  for (const typemap::ColumnOverride& chosen : options.overrides) {
    if (chosen.target_type.empty()) continue;
    const auto column = std::ranges::find(table.columns, chosen.column, &model::Column::name);
    if (column == table.columns.end()) continue;  // said by table_columns
    const auto mapped = typemap::MapColumn(*column, options.TypesOf(table, chosen.column), false);
    if (!mapped) continue;  // said below
    types.emplace(mapped->declared_type, table.name.ToString() + "." + chosen.column);
  }
}

// Whether ClickHouse knows the types that were chosen: their time zones, JSON of an old version.
void CheckChosen(CheckContext& context, const ChosenTypes& types, std::vector<Finding>& findings) {
  if (!context.destination) return;
  for (const auto& [type, column] : types) {
    const auto known = context.destination->Rows(
        fmt::format("SELECT toTypeName(defaultValueOfTypeName({}))", clickhouse::QuoteString(type)),
        context.stop);
    if (!known) AddError(findings, known.error().In(column));
  }
}

}  // namespace

void CheckColumnTypes(CheckContext& context, std::vector<Finding>& findings) {
  const size_t before = findings.size();
  ChosenTypes chosen;
  ForEachTable(context, [&](const TableMapping& mapping, const model::Table& table) {
    const typemap::TargetOptions options = TargetOptionsOf(context.spec, mapping);
    CollectChosen(table, options, chosen);
    const auto key = typemap::SortingKey(table, options);
    for (const model::Column& column : table.columns) {
      if (IsExcluded(mapping, column.name)) continue;
      const bool in_key = key && std::ranges::find(*key, column.name) != key->end();
      const auto mapped = typemap::MapColumn(column, options.TypesOf(table, column.name), in_key);
      if (!mapped) {
        Error error = mapped.error().In(table.name.ToString());
        if (error.remedy.empty()) error.remedy = kExclude;
        AddError(findings, error);
      } else if (NeedsNewer(*mapped, context.destination_version)) {
        AddError(findings,
                 fmt::format("{}.{} maps to {}, which ClickHouse has from 25.6 on",
                             table.name.ToString(), column.name, mapped->declared_type),
                 "Upgrade ClickHouse, or name the column in excludedColumns");
      }
    }
  });
  CheckChosen(context, chosen, findings);
  AddOkIfNone(findings, before, "every column has a type in ClickHouse");
}

}  // namespace penstock::pipe
