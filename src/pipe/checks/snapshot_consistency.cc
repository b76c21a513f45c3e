#include <fmt/ranges.h>

#include <algorithm>

#include "pipe/checks/checks.h"
#include "pipe/flow_parts.h"
#include "snapshot/consistent_connections.h"

namespace penstock::pipe {
namespace {

using snapshot::Consistency;

// Those that no later change heals: without a stream all, else those that keep every change.
std::vector<model::TableName> TablesOfOneMoment(const CheckContext& context) {
  std::vector<model::TableName> names;
  const auto& tables = context.spec.tables;
  const bool all = context.spec.settings.mode == ReplicationMode::kSnapshot;
  for (size_t i = 0; i < tables.size(); ++i) {
    if (all || IsLoadedInSnapshot(context.spec, i)) names.push_back(tables[i].source);
  }
  return names;
}

std::string OneMoment(const std::vector<Consistency>& ways, bool all) {
  std::string text = fmt::format("{} are read at one moment, {}",
                                 all ? "all tables" : "tables that keep every change",
                                 snapshot::ConsistencyText(ways.front()));
  if (ways.size() == 1) return text;
  text += "; where that fails (long statements, a hosted server, constant writes)";
  for (size_t i = 1; i < ways.size(); ++i) {
    text += fmt::format(", {}{}", i == 1 ? "" : "then ", snapshot::ConsistencyText(ways[i]));
  }
  return text;
}

void CheckWays(CheckContext& context, const std::vector<model::TableName>& tables,
               std::vector<Finding>& findings) {
  constexpr std::string_view kHow =
      "Run at the source (or grant LOCK TABLES on the databases of the tables)";
  const std::string grant = Grant(context, "RELOAD ON *.*");
  auto ways = snapshot::WaysToSeeOneMoment(*context.source, tables, context.stop);
  if (!ways) return AddError(findings, ways.error());
  const bool all = context.spec.settings.mode == ReplicationMode::kSnapshot;
  if (ways->front() != Consistency::kOneConnection) {
    if (!all) ways->pop_back();  // by itself it does not tell the place in the log
    return AddOk(findings, OneMoment(*ways, all));
  }
  if (all) {
    return AddWarning(findings, OneMoment(*ways, all),
                      fmt::format("{}: then several connections read at once", kHow), grant);
  }
  AddError(findings,
           "where in the log a snapshot of the tables that keep every change stands cannot be told",
           std::string(kHow), grant);
}

void CheckMetadataLocks(CheckContext& context, std::vector<Finding>& findings) {
  const auto releases = snapshot::ReleaseMetadataLocks(*context.source, context.stop);
  if (!releases) return AddError(findings, releases.error());
  if (*releases) return;
  AddWarning(findings,
             "from the first partition of a table to the end of the load, ALTER TABLE on it "
             "waits, and other statements on it wait behind that",
             "With this right the load's sessions leave sql_log_bin, and keep a metadata lock for "
             "one partition only",
             Grant(context, "BINLOG ADMIN ON *.*"));
}

// Engines whose transactions see one moment; of the others each partition is read as it is then.
void CheckEngines(CheckContext& context, const std::vector<model::TableName>& tables,
                  std::vector<Finding>& findings) {
  const auto rows = context.source->Query(
      "SELECT ENGINE FROM information_schema.ENGINES WHERE TRANSACTIONS <> 'YES'", context.stop);
  if (!rows) return AddUnanswered(findings, "the source's engines", rows.error());
  std::vector<std::string> without;
  ForEachTable(context, [&](const TableMapping& mapping, const model::Table& table) {
    if (std::ranges::count(tables, mapping.source) == 0) return;
    const bool listed = std::ranges::any_of(
        *rows, [&](const mysql::TextRow& row) { return row[0] == table.engine; });
    if (listed) without.push_back(mapping.source.ToString());
  });
  if (without.empty()) return;
  AddWarning(
      findings,
      fmt::format("tables of an engine without transactions are not read at that moment: {}",
                  fmt::join(without, ", ")),
      "Write nothing to them while they are loaded, or give them another engine: ALTER TABLE "
      "... ENGINE = InnoDB");
}

}  // namespace

// Without a stream nothing heals what changes during the load. Takes no lock.
void CheckSnapshotConsistency(CheckContext& context, std::vector<Finding>& findings) {
  const auto tables = TablesOfOneMoment(context);
  if (tables.empty()) {
    return AddOk(findings, "what changes during the snapshot comes by the log");
  }
  CheckWays(context, tables, findings);
  CheckMetadataLocks(context, findings);
  CheckEngines(context, tables, findings);
  AddOk(
      findings,
      "such a load that is interrupted (a connection lost, a pause, a restart, ALTER TABLE) starts "
      "again from nothing; it fills TARGET_resync_... tables, which take the places of the "
      "targets when all of it is there. Until then the source keeps the old states of all "
      "changed rows (undo log), and EXCHANGE PARTITION on a table being read goes unnoticed");
}

}  // namespace penstock::pipe
