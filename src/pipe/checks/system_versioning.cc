#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

// Changes of tables whose rows end by transaction are logged as statements (tried).
void CheckRowEnd(const model::Table& table, std::vector<Finding>& findings) {
  if (!table.row_end || *table.row_end >= table.columns.size()) return;
  const model::Column& end = table.columns[*table.row_end];
  if (end.type == model::SqlType::kTimestamp) return;
  AddError(findings,
           fmt::format("{} is versioned by transaction (its row end {} is a {}): the server logs "
                       "its changes as statements",
                       table.name.ToString(), end.name, end.type_text),
           "Declare ROW START and ROW END as TIMESTAMP(6), or take the table out of the pipe");
}

}  // namespace

// Of MariaDB's system-versioned tables the current rows are copied, as a plain SELECT sees them.
void CheckSystemVersioning(CheckContext& context, std::vector<Finding>& findings) {
  const size_t before = findings.size();
  size_t versioned = 0;
  ForEachTable(context, [&](const TableMapping&, const model::Table& table) {
    CheckRowEnd(table, findings);
    versioned += table.row_end ? 1 : 0;
  });
  if (versioned == 0) return AddOk(findings, "no table is system-versioned");
  const std::string as_of = SourceVariable(context, "system_versioning_asof");
  if (!as_of.empty() && as_of != "DEFAULT") {
    AddError(findings,
             fmt::format("system_versioning_asof is {}: a SELECT gives rows of the past", as_of),
             "Run at the source", "SET GLOBAL system_versioning_asof = DEFAULT;");
  }
  AddOkIfNone(findings, before,
              fmt::format("of {} system-versioned tables the current rows are copied", versioned));
}

}  // namespace penstock::pipe
