#include "pipe/shards.h"

#include <algorithm>
#include <map>
#include <optional>

#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

// A column that one has and the other lacks.
std::optional<std::string> FindLacking(const clickhouse::TableSpec& one,
                                       const clickhouse::TableSpec& other) {
  for (const auto& column : one.columns) {
    if (std::ranges::count(other.columns, column.name, &clickhouse::DestinationColumn::name) == 0) {
      return column.name;
    }
  }
  return std::nullopt;
}

}  // namespace

// Tables that share a target have the same columns in it. Later they may get new ones one after the
// other.
void CheckShards(CheckContext& context, std::vector<Finding>& findings) {
  const size_t before = findings.size();
  struct First {
    std::string source;
    clickhouse::TableSpec target;
  };
  std::map<std::string, First> firsts;
  size_t shards = 0;
  ForEachTable(context, [&](const TableMapping& mapping, const model::Table& table) {
    if (!mapping.tells_source) return;
    auto target = TargetTable(context.spec, mapping, table);
    if (!target) return;  // said by column_types
    ++shards;
    const std::string name = table.name.ToString();
    const auto [place, is_new] = firsts.emplace(mapping.target_table, First{name, *target});
    if (is_new) return;
    First& first = place->second;
    clickhouse::TableSpec joined = first.target;
    if (const Status fits = AddShard(*target, joined); !fits) {
      return AddError(findings, fits.error().In(fmt::format("{}, {}", first.source, name)));
    }
    auto lacking = FindLacking(first.target, *target);
    const bool is_new_one = !lacking;
    if (!lacking) lacking = FindLacking(*target, first.target);
    if (!lacking) return;
    AddError(findings,
             fmt::format("{} and {} share the target table {}, and only {} has the column {}",
                         first.source, name, mapping.target_table, is_new_one ? name : first.source,
                         *lacking),
             "Add it to the other one too, or name it in excludedColumns");
  });
  AddOkIfNone(findings, before,
              shards == 0
                  ? "no tables share a target"
                  : fmt::format("{} tables fit the targets that they share or may share: {}",
                                shards, firsts.size()));
}

}  // namespace penstock::pipe
