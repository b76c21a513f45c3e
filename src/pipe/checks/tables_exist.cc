#include "mysql/wire/definitions.h"
#include "pipe/checks/checks.h"

namespace penstock::pipe {

// Reads the definitions that the other checks of tables use.
void CheckTablesExist(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.source) return;
  std::vector<model::TableName> names;
  for (const TableMapping& mapping : context.spec.tables) names.push_back(mapping.source);
  auto tables = mysql::ReadDefinitions(*context.source, names, context.stop);
  if (!tables) return AddError(findings, tables.error());
  context.tables = std::move(*tables);
  const size_t before = findings.size();
  for (const model::TableName& name : names) {
    if (context.tables.contains(name)) continue;
    AddError(findings,
             fmt::format("the source has no table {}, or the user may not see it", name.ToString()),
             fmt::format("Check the name, or GRANT SELECT ON {}.{} TO the user",
                         mysql::QuoteIdentifier(name.schema), mysql::QuoteIdentifier(name.table)));
  }
  AddOkIfNone(findings, before, fmt::format("all {} tables exist", names.size()));
}

}  // namespace penstock::pipe
