#include "pipe/checks/checks.h"
#include "snapshot/key_range.h"

namespace penstock::pipe {
namespace {

// An invisible column stays out of the way of SELECT * and INSERT without a list.
std::string AddKey(const CheckContext& context, const model::Table& table) {
  constexpr uint32_t kMysqlInvisible = 80'023;
  constexpr uint32_t kMariadbInvisible = 100'303;
  const SourceFacts* facts = context.facts ? &*context.facts : nullptr;
  const bool invisible =
      facts == nullptr ||
      facts->server.number >= (facts->is_mariadb() ? kMariadbInvisible : kMysqlInvisible);
  return fmt::format(
      "ALTER TABLE {} ADD COLUMN row_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT{} PRIMARY KEY;",
      QuotedName(table.name), invisible ? " INVISIBLE" : "");
}

void AddNoKey(const CheckContext& context, const TableMapping& mapping, const model::Table& table,
              std::vector<Finding>& findings) {
  const std::string none = fmt::format(
      "{} has neither a primary key nor a unique key of NOT NULL columns", table.name.ToString());
  if (mapping.identical_rows_may_collapse) {
    return AddWarning(findings,
                      none +
                          ": rows that are equal are one in ClickHouse, and where one of them is "
                          "deleted or changed, all of them are",
                      "Add a key, for instance a column of its own", AddKey(context, table));
  }
  AddError(findings, none + ", so a changed row cannot be found again",
           "Add a key, for instance a column of its own; or have every change kept, tableEngine: "
           "MergeTree in its mapping; or, if equal rows may become one, "
           "identicalRowsMayCollapse: true",
           AddKey(context, table));
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
  const size_t before = findings.size();
  ForEachTable(context, [&](const TableMapping& mapping, const model::Table& table) {
    const bool needed = !clickhouse::KeepsEveryChange(mapping.engine);
    if (table.key.empty() && needed) AddNoKey(context, mapping, table, findings);
  });
  CheckPartitionKeys(context, findings);
  AddOkIfNone(findings, before, "every table that needs one has a key");
}

}  // namespace penstock::pipe
