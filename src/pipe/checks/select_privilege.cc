#include <algorithm>
#include <span>

#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

// Tables that one statement names: it is shorter than 1 MB, and opens no more at once.
constexpr size_t kTablesPerQuery = 100;
constexpr size_t kColumnsPerQuery = 5'000;

// Reads nothing. Derived tables are merged, so that none is made.
std::string Probe(const model::Table& table) {
  const std::string name = QuotedName(table.name);
  std::string columns;
  for (const model::Column& column : table.columns) {
    columns += fmt::format(" OR {} IS NULL", mysql::QuoteIdentifier(column.name));
  }
  return fmt::format(
      "SELECT 1 FROM (SELECT * FROM {0} WHERE 0) a UNION ALL SELECT 1 FROM {0} WHERE 0 AND (0{1})",
      name, columns);
}

Status Try(CheckContext& context, std::span<const model::Table* const> tables) {
  std::string statement;
  for (const model::Table* table : tables) {
    statement += (statement.empty() ? "" : " UNION ALL ") + Probe(*table);
  }
  return context.source->Execute(statement, context.stop);
}

void AddRefused(const CheckContext& context, const model::Table& table, const Error& error,
                std::vector<Finding>& findings) {
  if (!IsRefusal(error)) return AddError(findings, error.In(table.name.ToString()));
  AddError(findings,
           fmt::format("the user may not read all of {}, of which {} columns are shown to it; the "
                       "log has all ({})",
                       table.name.ToString(), table.columns.size(), error.message),
           "Run at the source (grants on columns are not enough; a role must be a default one: SET "
           "DEFAULT ROLE)",
           Grant(context, "SELECT ON " + QuotedName(table.name)));
}

}  // namespace

// Tried with all columns: with privileges on some columns only, the definitions that the source
// shows lack the others, and the log does not. The list adds invisible ones to the asterisk. Many
// tables at a time, and one by one only where that is refused.
void CheckSelectPrivilege(CheckContext& context, std::vector<Finding>& findings) {
  const size_t before = findings.size();
  std::vector<const model::Table*> tables;
  ForEachTable(context,
               [&](const TableMapping&, const model::Table& table) { tables.push_back(&table); });
  for (std::span<const model::Table* const> left(tables); !left.empty();) {
    size_t size = 0;
    for (size_t columns = 0;
         size < std::min(left.size(), kTablesPerQuery) && columns < kColumnsPerQuery; ++size) {
      columns += left[size]->columns.size();
    }
    const auto chunk = left.first(size);
    left = left.subspan(size);
    if (Try(context, chunk)) continue;
    for (const model::Table* table : chunk) {
      const Status tried = Try(context, std::span(&table, 1));
      if (!tried) AddRefused(context, *table, tried.error(), findings);
    }
  }
  AddOkIfNone(findings, before, "the user may read all mapped tables");
}

}  // namespace penstock::pipe
