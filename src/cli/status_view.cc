#include "cli/status_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/output.h"

namespace penstock::cli {
namespace {

using nlohmann::json;

constexpr size_t kBarWidth = 24;

std::string TextAt(const json& object, const char* key) {
  const json value = object.value(key, json());
  return value.is_string() ? Printable(value.get<std::string>()) : "";
}

double NumberAt(const json& object, const char* key) {
  const json value = object.value(key, json());
  return value.is_number() ? value.get<double>() : 0;
}

uint64_t CountAt(const json& object, const char* key) {
  return static_cast<uint64_t>(NumberAt(object, key));
}

std::string Speed(const json& status) {
  const json lag = status.value("lagSeconds", json());
  return fmt::format("lag {}  {} rows/s  last batch {} rows in {} ms",
                     lag.is_number() ? FormatSeconds(lag.get<double>()) : "unknown",
                     WithThousands(CountAt(status, "rowsPerSecond")),
                     WithThousands(CountAt(status, "lastBatchRows")),
                     CountAt(status, "lastBatchMilliseconds"));
}

std::string Retrying(const json& status) {
  const std::string error = TextAt(status, "retrying");
  if (error.empty()) return "";
  return fmt::format("retrying (attempt {}): {}", CountAt(status, "retryAttempts"), error);
}

// Partitions are of like size, but their number is not known while they are being planned; the
// estimate of rows is only an estimate.
double ShareLoaded(const json& table) {
  const std::string state = TextAt(table, "state");
  if (state == "following" || state == "loaded") return 1;
  const double estimated = NumberAt(table, "rowsEstimated");
  const double partitions = NumberAt(table, "partitions");
  if (estimated > 0) return std::min(NumberAt(table, "rowsLoaded") / estimated, 0.99);
  return partitions > 0 ? NumberAt(table, "partitionsDone") / partitions : 0;
}

std::string TableLine(const json& table, size_t name_width) {
  const std::string name = TextAt(table, "sourceSchemaName") + "." + TextAt(table, "sourceTable");
  const double share = ShareLoaded(table);
  const uint64_t changes = CountAt(table, "rowsInserted") + CountAt(table, "rowsUpdated") +
                           CountAt(table, "rowsDeleted");
  return fmt::format("  {}{} {} {:3.0f} %  {} rows  {}{}", name,
                     std::string(name_width - std::min(name_width, Width(name)), ' '),
                     ProgressBar(share, kBarWidth), share * 100,
                     WithThousands(CountAt(table, "rowsLoaded")), TextAt(table, "state"),
                     changes == 0 ? "" : fmt::format(", {} changes", WithThousands(changes)));
}

size_t NameWidth(const json& tables) {
  size_t width = 0;
  for (const json& table : tables) {
    width = std::max(
        width, Width(TextAt(table, "sourceSchemaName")) + 1 + Width(TextAt(table, "sourceTable")));
  }
  return width;
}

}  // namespace

std::vector<std::string> StatusLines(const json& status, ScreenSize size) {
  std::vector<std::string> lines = {
      fmt::format("{}  {}  since {}", TextAt(status, "name"), TextAt(status, "state"),
                  TextAt(status, "stateSince")),
      "  " + Speed(status)};
  for (std::string extra : {TextAt(status, "reason"), Retrying(status)}) {
    if (!extra.empty()) lines.push_back("  " + std::move(extra));
  }
  const json tables = status.value("tables", json::array());
  const size_t name_width = NameWidth(tables);
  for (size_t i = 0; i < tables.size(); ++i) {
    const size_t left = tables.size() - i;
    if (left > 1 && lines.size() + 1 >= size.height) {
      lines.push_back(fmt::format("  and {} more tables", left));
      break;
    }
    lines.push_back(TableLine(tables[i], name_width));
  }
  for (std::string& line : lines) line = Shorten(line, size.width);
  return lines;
}

std::string StatusLine(const json& status) {
  const json tables = status.value("tables", json::array());
  double loaded = 0;
  for (const json& table : tables) loaded += ShareLoaded(table);
  std::string line = TextAt(status, "state");
  if (line == "Snapshot" && !tables.empty()) {
    line += fmt::format(" {:.0f} %", 100 * loaded / static_cast<double>(tables.size()));
  }
  line += "  " + Speed(status);
  const std::string retrying = Retrying(status);
  return retrying.empty() ? line : line + "  " + retrying;
}

}  // namespace penstock::cli
