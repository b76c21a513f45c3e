#include <algorithm>

#include "mysql/wire/lost_labels.h"
#include "pipe/checks/checks.h"
#include "pipe/setup.h"

namespace penstock::pipe {
namespace {

constexpr char kExclude[] = "Name the column in excludedColumns";
constexpr uint32_t kTime64Version = 2506;

bool NeedsNewer(const typemap::ColumnMapping& mapping, uint32_t version) {
  return version != 0 && version < kTime64Version && mapping.native_type.starts_with("Time64");
}

void WarnOfLostLabels(const CheckContext& context, const model::Table& table,
                      const model::Column& column, std::vector<Finding>& findings) {
  if (!context.source || !mysql::LabelsMayBeLost(context.source->server(), column)) return;
  AddWarning(findings,
             fmt::format("{}.{} has a label with a '?', and MySQL shows every character beyond the "
                         "Basic Multilingual Plane in a label as one: should it be such a "
                         "character, it arrives as '?'",
                         table.name.ToString(), column.name),
             kExclude);
}

}  // namespace

void CheckColumnTypes(CheckContext& context, std::vector<Finding>& findings) {
  if (context.tables.empty()) return;
  const size_t before = findings.size();
  ForEachTable(context, [&](const TableMapping& mapping, const model::Table& table) {
    const typemap::TargetOptions options = TargetOptionsOf(context.spec, mapping);
    const auto key = typemap::SortingKey(table, options);
    for (const model::Column& column : table.columns) {
      if (IsExcluded(mapping, column.name)) continue;
      const bool in_key = key && std::ranges::find(*key, column.name) != key->end();
      const auto mapped = typemap::MapColumn(column, options.types, in_key);
      if (!mapped) {
        Error error = mapped.error().In(table.name.ToString());
        if (error.remedy.empty()) error.remedy = kExclude;
        AddError(findings, error);
      } else if (NeedsNewer(*mapped, context.destination_version)) {
        AddError(findings,
                 fmt::format("{}.{} maps to {}, which ClickHouse has from 25.6 on",
                             table.name.ToString(), column.name, mapped->declared_type),
                 "Upgrade ClickHouse, or name the column in excludedColumns");
      } else {
        WarnOfLostLabels(context, table, column, findings);
      }
    }
  });
  AddOkIfNone(findings, before, "every column has a type in ClickHouse");
}

}  // namespace penstock::pipe
