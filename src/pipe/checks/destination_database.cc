#include "clickhouse/quote.h"
#include "pipe/checks/checks.h"
#include "pipe/setup.h"

namespace penstock::pipe {

// Tables are exchanged when a pipe is loaded anew, and only some database engines can do it.
void CheckDestinationDatabase(CheckContext& context, std::vector<Finding>& findings) {
  auto existing = ReadExisting(*context.destination, context.spec, context.stop);
  if (!existing) {
    return AddUnanswered(findings, "what the database holds", existing.error(),
                         GrantAtDestination(context, "SELECT ON system.*"));
  }
  context.existing = *std::move(existing);
  const std::string& database = context.spec.database;
  const auto rows = context.destination->Rows(
      "SELECT engine FROM system.databases WHERE name = " + clickhouse::QuoteString(database),
      context.stop);
  if (!rows) return AddUnanswered(findings, "the database's engine", rows.error());
  if (rows->empty()) {
    return AddOk(findings, fmt::format("the database {} will be created", database));
  }
  const std::string engine = rows->front().empty() ? "" : rows->front().front();
  if (engine == "Atomic" || engine == "Replicated" || engine == "Shared") {
    return AddOk(findings, fmt::format("the database {} exists ({})", database, engine));
  }
  const auto message = fmt::format(
      "the database {} has the engine {}, which cannot exchange tables", database, engine);
  if (engine == "Overlay") {  // the embedded server's `default`, which some clients always name
    return AddError(
        findings, message,
        "Choose another database (one that does not exist is created); with a client "
        "that names this one unasked, make the pipe by `penstock create -f` or the API");
  }
  AddError(findings, message,
           "Choose another database (one that does not exist is created), or make one",
           fmt::format("CREATE DATABASE {} ENGINE = Atomic;",
                       clickhouse::QuoteIdentifier(database + "_atomic")));
}

}  // namespace penstock::pipe
