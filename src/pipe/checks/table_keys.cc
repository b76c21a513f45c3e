#include "pipe/checks/checks.h"
#include "snapshot/key_range.h"

namespace penstock::pipe {
namespace {

void AddNoKey(const TableMapping& mapping, const model::Table& table,
              std::vector<Finding>& findings) {
  const std::string none = fmt::format(
      "{} has neither a primary key nor a unique key of NOT NULL columns", table.name.ToString());
  const std::string remedy = fmt::format(
      "Add a key, for instance an invisible one: ALTER TABLE {}.{} ADD COLUMN row_id "
      "BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY INVISIBLE",
      mysql::QuoteIdentifier(table.name.schema), mysql::QuoteIdentifier(table.name.table));
  if (mapping.identical_rows_may_collapse) {
    return AddWarning(findings,
                      none +
                          ": rows that are equal are one in ClickHouse, and where one of them is "
                          "deleted or changed, all of them are",
                      remedy);
  }
  AddError(findings, none + ", so a changed row cannot be found again",
           remedy +
               "; or have every change kept, tableEngine: MergeTree in its mapping; or, if equal "
               "rows may become one, identicalRowsMayCollapse: true");
}

// What the snapshot ranges over, and through which index.
void CheckPartitionKeys(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.source) return;
  ForEachTable(context, [&](const TableMapping& mapping, const model::Table& table) {
    if (mapping.partition_key.empty()) return;
    const auto key =
        snapshot::FindRangeKey(*context.source, table, mapping.partition_key, context.stop);
    if (!key) AddError(findings, key.error());
  });
}

}  // namespace

void CheckTableKeys(CheckContext& context, std::vector<Finding>& findings) {
  if (context.tables.empty()) return;
  const size_t before = findings.size();
  ForEachTable(context, [&](const TableMapping& mapping, const model::Table& table) {
    const bool needed = !clickhouse::KeepsEveryChange(mapping.engine);
    if (table.key.empty() && needed) AddNoKey(mapping, table, findings);
  });
  CheckPartitionKeys(context, findings);
  AddOkIfNone(findings, before, "every table that needs one has a key");
}

}  // namespace penstock::pipe
