#include <fmt/ranges.h>

#include <algorithm>

#include "pipe/checks/checks.h"
#include "snapshot/consistent_connections.h"

namespace penstock::pipe {
namespace {

using snapshot::Consistency;

std::vector<model::TableName> MappedTables(const CheckContext& context) {
  std::vector<model::TableName> names;
  for (const TableMapping& mapping : context.spec.tables) names.push_back(mapping.source);
  return names;
}

std::string OneMoment(const std::vector<Consistency>& ways) {
  std::string text =
      fmt::format("all tables are read at one moment, {}", snapshot::ConsistencyText(ways.front()));
  if (ways.size() == 1) return text;
  text += "; where that fails (long statements, a hosted server, constant writes)";
  for (size_t i = 1; i < ways.size(); ++i) {
    text += fmt::format(", {}{}", i == 1 ? "" : "then ", snapshot::ConsistencyText(ways[i]));
  }
  return text;
}

void CheckWays(CheckContext& context, std::vector<Finding>& findings) {
  const auto ways =
      snapshot::WaysToSeeOneMoment(*context.source, MappedTables(context), context.stop);
  if (!ways) return AddError(findings, ways.error());
  if (ways->front() == Consistency::kOneConnection) {
    return AddWarning(findings, OneMoment(*ways),
                      "Grant RELOAD ON *.*, or LOCK TABLES on the databases of the tables, to the "
                      "user: then several connections read at once");
  }
  AddOk(findings, OneMoment(*ways));
}

void CheckMetadataLocks(CheckContext& context, std::vector<Finding>& findings) {
  const auto releases = snapshot::ReleaseMetadataLocks(*context.source, context.stop);
  if (!releases) return AddError(findings, releases.error());
  if (*releases) return;
  AddWarning(findings,
             "from the first partition of a table to the end of the load, ALTER TABLE on it "
             "waits, and other statements on it wait behind that",
             "Grant BINLOG ADMIN ON *.* to the user (it lets the load's sessions leave "
             "sql_log_bin, and so keep a metadata lock for one partition only)");
}

// Engines whose transactions see one moment; of the others each partition is read as it is then.
void CheckEngines(CheckContext& context, std::vector<Finding>& findings) {
  const auto rows = context.source->Query(
      "SELECT ENGINE FROM information_schema.ENGINES WHERE TRANSACTIONS <> 'YES'", context.stop);
  if (!rows) return AddError(findings, rows.error());
  std::vector<std::string> without;
  ForEachTable(context, [&](const TableMapping& mapping, const model::Table& table) {
    const bool listed = std::ranges::any_of(
        *rows, [&](const mysql::TextRow& row) { return row[0] == table.engine; });
    if (listed) without.push_back(mapping.source.ToString());
  });
  if (without.empty()) return;
  AddWarning(findings,
             fmt::format("tables of an engine without transactions are not read at that moment: {}",
                         fmt::join(without, ", ")),
             "Write nothing to them while they are loaded, or ALTER TABLE ... ENGINE = InnoDB");
}

}  // namespace

// Without a stream nothing heals what changes during the load. Takes no lock.
void CheckSnapshotConsistency(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.source) return;
  if (context.spec.settings.mode != ReplicationMode::kSnapshot) {
    return AddOk(findings, "what changes during the snapshot comes by the log");
  }
  CheckWays(context, findings);
  CheckMetadataLocks(context, findings);
  CheckEngines(context, findings);
  AddOk(findings,
        "a load that is interrupted (a connection lost, a pause, a restart, ALTER TABLE) starts "
        "again from nothing; it fills TARGET_resync_... tables, which take the places of the "
        "targets when all of it is there. Until then the source keeps the old states of all "
        "changed rows (undo log), and EXCHANGE PARTITION on a table being read goes unnoticed");
}

}  // namespace penstock::pipe
