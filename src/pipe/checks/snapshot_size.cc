#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <span>

#include "pipe/checks/checks.h"
#include "pipe/flow_parts.h"

namespace penstock::pipe {
namespace {

constexpr size_t kNamesPerQuery = 2'000;

// What a small server gives to a few connections; most are faster. (docs/performance.md)
constexpr double kBytesPerSecond = 40e6;
constexpr double kRowsPerSecond = 300e3;

struct Size {
  double rows = 0;
  double bytes = 0;
};

double NumberOf(const std::optional<std::string>& cell) {
  double number = 0;
  if (cell) std::from_chars(cell->data(), cell->data() + cell->size(), number);
  return number;
}

// By the source's own estimates. MySQL keeps those that are asked for in a table, a write each
// (10,000 took 34 s), unless told not to.
Result<Size> SizeOf(CheckContext& context) {
  constexpr std::string_view kExpiry = "information_schema_stats_expiry";
  if (!SourceVariable(context, kExpiry).empty()) {
    PENSTOCK_TRY(context.source->Execute(fmt::format("SET SESSION {} = 0", kExpiry), context.stop));
  }
  std::map<std::string, std::vector<std::string>> names;  // quoted, by schema
  ForEachTable(context, [&](const TableMapping&, const model::Table& table) {
    names[table.name.schema].push_back(mysql::QuoteString(table.name.table));
  });
  Size size;
  for (const auto& [schema, tables] : names) {
    for (std::span<const std::string> left(tables); !left.empty();) {
      const auto chunk = left.first(std::min(left.size(), kNamesPerQuery));
      left = left.subspan(chunk.size());
      PENSTOCK_ASSIGN(
          const auto rows,
          context.source->Query(
              fmt::format("SELECT SUM(TABLE_ROWS), SUM(DATA_LENGTH) FROM information_schema.TABLES "
                          "WHERE TABLE_SCHEMA = {} AND TABLE_NAME IN ({})",
                          mysql::QuoteString(schema), fmt::join(chunk, ",")),
              context.stop));
      if (rows.empty()) continue;
      size.rows += NumberOf(rows[0][0]);
      size.bytes += NumberOf(rows[0][1]);
    }
  }
  return size;
}

double SecondsFor(const Size& size, const PipeSettings& settings) {
  double rows_per_second = kRowsPerSecond;
  double bytes_per_second = kBytesPerSecond;
  if (settings.snapshot_rows_per_second) {
    rows_per_second = std::min<double>(rows_per_second, *settings.snapshot_rows_per_second);
  }
  if (settings.snapshot_megabytes_per_second) {
    bytes_per_second = std::min(bytes_per_second, *settings.snapshot_megabytes_per_second * 1e6);
  }
  return std::max(size.rows / rows_per_second, size.bytes / bytes_per_second);
}

// Followed only from where their load stands, when it is over.
bool WaitsForLoad(const PipeSpec& spec) {
  for (size_t i = 0; i < spec.tables.size(); ++i) {
    if (IsLoadedInSnapshot(spec, i)) return true;
  }
  return false;
}

}  // namespace

void CheckSnapshotSize(CheckContext& context, std::vector<Finding>& findings) {
  const PipeSettings& settings = context.spec.settings;
  if (settings.mode == ReplicationMode::kCdcOnly) {
    return AddOk(findings, "not needed: replicationMode is cdc_only");
  }
  const auto size = SizeOf(context);
  if (!size) return AddUnanswered(findings, "the size of the tables", size.error());
  const double seconds = SecondsFor(*size, settings);
  const std::string text = fmt::format("about {:.0f} rows, {:.1f} MB; to load them may take {}",
                                       size->rows, size->bytes / 1e6, DurationText(seconds));
  if (settings.mode == ReplicationMode::kSnapshot) return AddOk(findings, text);
  const bool waits = WaitsForLoad(context.spec);
  const double kept = context.retention ? static_cast<double>(context.retention->count()) : 0;
  if (context.retention && waits && seconds > kept / 2) {
    return AddWarning(
        findings,
        fmt::format("{}, and the source keeps its log for {}: tables that keep every change "
                    "(tableEngine MergeTree) are followed when their load is over, from where it "
                    "began",
                    text, DurationText(kept)),
        Change(context, {.name = "binlog_expire_logs_seconds",
                         .value = fmt::format("{:.0f}", std::max(4 * seconds, 86'400.0))}));
  }
  AddOk(findings, text + (waits ? "" : "; the log is followed beside that, from the first moment"));
}

}  // namespace penstock::pipe
