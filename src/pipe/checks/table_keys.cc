#include "pipe/checks/checks.h"

namespace penstock::pipe {

void CheckTableKeys(CheckContext& context, std::vector<Finding>& findings) {
  if (context.tables.empty()) return;
  const size_t before = findings.size();
  ForEachTable(context, [&](const TableMapping&, const model::Table& table) {
    if (!table.key.empty()) return;
    AddError(findings,
             fmt::format("{} has neither a primary key nor a unique key of NOT NULL columns, so a "
                         "changed row cannot be found again",
                         table.name.ToString()),
             fmt::format("Add a key, for instance an invisible one: ALTER TABLE {}.{} ADD COLUMN "
                         "row_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY INVISIBLE",
                         mysql::QuoteIdentifier(table.name.schema),
                         mysql::QuoteIdentifier(table.name.table)));
  });
  AddOkIfNone(findings, before, "every table has a key");
}

}  // namespace penstock::pipe
