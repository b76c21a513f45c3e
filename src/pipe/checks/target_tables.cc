#include "clickhouse/quote.h"
#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

// True for one that is empty, and may be used.
bool CheckExisting(CheckContext& context, const TableMapping& mapping,
                   const ExistingTable& existing, std::vector<Finding>& findings) {
  const std::string name = clickhouse::QuoteTable(context.spec.database, mapping.target_table);
  if (!existing.is_a(mapping.engine)) {
    AddError(findings,
             fmt::format("the target {} exists with the engine {}", name, existing.engine_name()),
             "Choose another targetTable, or drop it");
    return false;
  }
  const auto empty = IsEmpty(*context.destination, name, existing, context.stop);
  if (!empty) {
    AddError(findings, empty.error());
  } else if (!*empty) {
    AddError(findings, fmt::format("the target {} exists and holds rows", name),
             fmt::format("Choose another targetTable, or DROP TABLE {}", name));
  }
  return empty && *empty;
}

}  // namespace

// A load never writes into a table that holds rows: whose they are nobody knows.
void CheckTargetTables(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.destination || !context.existing) return;
  const size_t before = findings.size();
  std::vector<std::string> empty;
  for (const TableMapping& mapping : context.spec.tables) {
    const auto found = context.existing->tables.find(mapping.target_table);
    if (found == context.existing->tables.end()) continue;
    if (CheckExisting(context, mapping, found->second, findings)) {
      empty.push_back(mapping.target_table);
    }
  }
  if (!empty.empty()) {
    const size_t others = empty.size() - 1;
    AddWarning(findings,
               fmt::format("the target {}{} exists, is empty, and will be used as it is",
                           clickhouse::QuoteTable(context.spec.database, empty.front()),
                           others == 0 ? "" : fmt::format(", like {} others,", others)),
               "Drop it, and it is created with the right columns");
  }
  AddOkIfNone(findings, before, "no target table exists yet");
}

}  // namespace penstock::pipe
