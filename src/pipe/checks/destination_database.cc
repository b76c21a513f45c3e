#include "clickhouse/quote.h"
#include "pipe/checks/checks.h"
#include "pipe/setup.h"

namespace penstock::pipe {

// Tables are exchanged when a pipe is loaded anew, and only some database engines can do it.
void CheckDestinationDatabase(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.destination) return;
  auto existing = ReadExisting(*context.destination, context.spec, context.stop);
  if (!existing) return AddError(findings, existing.error());
  context.existing = *std::move(existing);
  const std::string& database = context.spec.database;
  const auto rows = context.destination->Rows(
      "SELECT engine FROM system.databases WHERE name = " + clickhouse::QuoteString(database),
      context.stop);
  if (!rows) return AddError(findings, rows.error());
  if (rows->empty()) {
    return AddOk(findings, fmt::format("the database {} will be created", database));
  }
  const std::string engine = rows->front().empty() ? "" : rows->front().front();
  if (engine == "Atomic" || engine == "Replicated" || engine == "Shared") {
    return AddOk(findings, fmt::format("the database {} exists ({})", database, engine));
  }
  AddError(findings,
           fmt::format("the database {} has the engine {}, which cannot exchange tables", database,
                       engine),
           "Choose another database (one that does not exist is created), of the engine Atomic");
}

}  // namespace penstock::pipe
