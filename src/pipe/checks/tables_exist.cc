#include <algorithm>
#include <array>

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

// Why its definition was not found. What a user has no right to see is not told from what is not
// there.
void AddMissing(CheckContext& context, const model::TableName& name,
                std::vector<Finding>& findings) {
  constexpr int kInvalidView = 1356;
  constexpr std::array kNoSuchTable = {1049, 1146};  // nor such a database
  const std::string text = name.ToString();
  const auto read =
      context.source->Query("SELECT 1 FROM " + QuotedName(name) + " WHERE 0", context.stop);
  if (read || read.error().native_code == kInvalidView) {
    return AddError(findings, fmt::format("{} is a view or a sequence, not a table", text),
                    "Map the tables that it reads, and make the view in ClickHouse");
  }
  if (IsRefusal(read.error())) {
    return AddError(
        findings, fmt::format("the source has no table {}, or the user may not see it", text),
        "Check the name, in upper and lower case too; if it is right, run at the source",
        Grant(context, "SELECT ON " + QuotedName(name)));
  }
  if (std::ranges::count(kNoSuchTable, read.error().native_code) == 0) {
    return AddError(findings, read.error());
  }
  const auto schema =
      context.source->Query("SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = " +
                                mysql::QuoteString(name.schema),
                            context.stop);
  if (!schema) return AddError(findings, schema.error());
  AddError(findings,
           schema->empty()
               ? fmt::format("the source has no database {} (for {})", name.schema, text)
               : fmt::format("the source has no table {}", text),
           "Check the name, in upper and lower case too");
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
    if (!context.tables.contains(name)) AddMissing(context, name, findings);
  }
  AddIfNamedTwice(context, findings);
  AddOkIfNone(findings, before, fmt::format("all {} tables exist", names.size()));
}

}  // namespace penstock::pipe
