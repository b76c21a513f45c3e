#include "clickhouse/quote.h"
#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

void CheckExisting(CheckContext& context, const std::string& table, const std::string& engine,
                   std::vector<Finding>& findings) {
  const std::string name = clickhouse::QuoteTable(context.spec.database, table);
  if (!engine.ends_with("ReplacingMergeTree")) {
    return AddError(findings, fmt::format("the target {} exists with the engine {}", name, engine),
                    "Choose another targetTable, or drop it");
  }
  const auto rows = context.destination->Rows(
      fmt::format("SELECT count() FROM (SELECT 1 FROM {} LIMIT 1)", name), context.stop);
  if (!rows) return AddError(findings, rows.error());
  const bool empty = !rows->empty() && !rows->front().empty() && rows->front().front() == "0";
  if (empty) {
    return AddWarning(
        findings, fmt::format("the target {} exists, is empty, and will be used as it is", name),
        "Drop it, and it is created with the right columns");
  }
  AddError(findings, fmt::format("the target {} exists and holds rows", name),
           fmt::format("Choose another targetTable, or DROP TABLE {}", name));
}

}  // namespace

// A load never writes into a table that holds rows: whose they are nobody knows.
void CheckTargetTables(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.destination || context.spec.tables.empty()) return;
  const size_t before = findings.size();
  const std::string& database = context.spec.database;
  std::string names;
  for (const TableMapping& mapping : context.spec.tables) {
    names += (names.empty() ? "" : ", ") + clickhouse::QuoteString(mapping.target_table);
  }
  const auto existing = context.destination->Rows(
      fmt::format("SELECT name, engine FROM system.tables WHERE database = {} AND name IN ({})",
                  clickhouse::QuoteString(database), names),
      context.stop);
  if (!existing) return AddError(findings, existing.error());
  for (const auto& row : *existing) {
    if (row.size() == 2) CheckExisting(context, row[0], row[1], findings);
  }
  AddOkIfNone(findings, before, "no target table exists yet");
}

}  // namespace penstock::pipe
