#include "mysql/wire/definitions.h"
#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

// A source that ignores case has one table by several names.
void AddIfNamedTwice(const CheckContext& context, std::vector<Finding>& findings) {
  std::map<model::TableName, model::TableName> asked_by_name;
  for (const auto& [asked, table] : context.tables) {
    const auto [first, is_new] = asked_by_name.emplace(table.name, asked);
    if (is_new) continue;
    AddError(findings,
             fmt::format("{} and {} are one table of the source, which ignores case",
                         first->second.ToString(), asked.ToString()),
             "Map it once");
  }
}

}  // namespace

// Reads the definitions that the other checks of tables use.
void CheckTablesExist(CheckContext& context, std::vector<Finding>& findings) {
  std::vector<model::TableName> names;
  for (const TableMapping& mapping : context.spec.tables) names.push_back(mapping.source);
  auto tables = mysql::ReadDefinitions(*context.source, names, context.stop);
  if (!tables) return AddError(findings, tables.error());
  context.tables = std::move(*tables);
  const size_t before = findings.size();
  for (const model::TableName& name : names) {
    if (context.tables.contains(name)) continue;
    AddError(findings,
             fmt::format("the source has no table {} (views are none), or the user may not see it",
                         name.ToString()),
             "Check the name, in upper and lower case too; if it is right, run at the source",
             Grant(context, "SELECT ON " + QuotedName(name)));
  }
  AddIfNamedTwice(context, findings);
  AddOkIfNone(findings, before, fmt::format("all {} tables exist", names.size()));
}

}  // namespace penstock::pipe
