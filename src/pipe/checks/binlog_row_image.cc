#include <algorithm>
#include <set>

#include "mysql/wire/start_position.h"
#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

constexpr std::string_view kExclude =
    "Name the column in excludedColumns, and compute it in ClickHouse";

// Why changed rows of the table are not whole in the log; "" where they are.
std::string WhyNotWhole(std::string_view image, const TableMapping& mapping,
                        const model::Table& table) {
  if (image != "FULL" && image != "FULL_NODUP") return fmt::format("binlog_row_image is {}", image);
  const auto missing = std::ranges::find_if(table.columns, [&](const model::Column& column) {
    return !column.in_log && !IsExcluded(mapping, column.name);
  });
  if (missing == table.columns.end()) return "";
  return fmt::format("the source's log does not hold generated columns of updated rows ({}.{})",
                     table.name.ToString(), missing->name);
}

Remedy RemedyFor(const CheckContext& context, std::string_view why) {
  if (!why.starts_with("binlog_row_image")) return {.text = std::string(kExclude), .statement = ""};
  return Change(context, {.name = "binlog_row_image", .value = "FULL", .by_session = true});
}

// Such a row is read again; it is found by what the log holds for sure: the primary key.
void CheckTable(const CheckContext& context, const TableMapping& mapping, const model::Table& table,
                const std::string& why, std::vector<Finding>& findings) {
  if (clickhouse::KeepsEveryChange(mapping.engine)) {
    return AddError(findings,
                    fmt::format("{}, and {} keeps every change (tableEngine: {}), of which reading "
                                "a row again would show the last only",
                                why, table.name.ToString(), clickhouse::EngineName(mapping.engine)),
                    RemedyFor(context, why));
  }
  if (!typemap::SortedByPrimaryKey(table, TargetOptionsOf(context.spec, mapping))) {
    Remedy remedy = RemedyFor(context, why);
    remedy.text += "; or leave sortingKeys out, and give the table a primary key";
    AddError(
        findings,
        fmt::format("{}, and changed rows of {} cannot be found again, since its sorting key is "
                    "not its primary key",
                    why, table.name.ToString()),
        remedy);
  }
  if (table.row_end && why == "binlog_row_image is MINIMAL") {
    AddError(
        findings,
        fmt::format("{}: the log does not tell when rows of the system-versioned table {} ended",
                    why, table.name.ToString()),
        RemedyFor(context, why));
  }
}

// By file MySQL tells only by log_status what a SELECT sees of the log.
void CheckVisibility(CheckContext& context, std::vector<Finding>& findings) {
  const auto mechanism = mysql::ChooseMechanism(
      *context.source, context.spec.settings.MechanismWanted(), context.stop);
  if (!mechanism) return;  // the start_position check says it
  const auto position = mysql::PeekStartPosition(*context.source, *mechanism, context.stop);
  if (!position || *position) return;
  AddError(findings,
           "the log does not hold whole rows and is followed by file: whether a row that is read "
           "again is new enough cannot be told",
           "Run at the source; or use GTIDs, or set binlog_row_image to FULL",
           Grant(context, "BACKUP_ADMIN ON *.*") + " " +
               Grant(context, "SELECT ON performance_schema.log_status"));
}

}  // namespace

void CheckBinlogRowImage(CheckContext& context, std::vector<Finding>& findings) {
  const size_t before = findings.size();
  const std::string found = SourceVariable(context, "binlog_row_image");
  const std::string image = found.empty() ? "FULL" : found;  // MySQL 5.5 and older know no other
  std::set<std::string> reasons;
  ForEachTable(context, [&](const TableMapping& mapping, const model::Table& table) {
    const std::string why = WhyNotWhole(image, mapping, table);
    if (why.empty()) return;
    CheckTable(context, mapping, table, why, findings);
    reasons.insert(why);
  });
  if (reasons.empty()) return AddOk(findings, fmt::format("binlog_row_image is {}", image));
  CheckVisibility(context, findings);
  if (findings.size() > before) return;
  for (const std::string& why : reasons) {
    AddWarning(findings,
               fmt::format("{}: changed rows are read again by their primary key; the destination "
                           "ends right, but may skip states of a row that changes often, and the "
                           "source answers a SELECT for every few hundred changed rows",
                           why),
               RemedyFor(context, why));
  }
}

}  // namespace penstock::pipe
