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
  const json bytes = status.value("lagBytes", json());
  std::string behind;
  if (IsAtWork(status)) {
    behind =
        fmt::format("lag {}{}  ", lag.is_number() ? FormatSeconds(lag.get<double>()) : "unknown",
                    bytes.is_number() ? ", " + FormatBytes(bytes.get<double>()) : "");
  }
  return fmt::format("{}{} rows/s  last batch {} rows in {} ms", behind,
                     WithThousands(CountAt(status, "rowsPerSecond")),
                     WithThousands(CountAt(status, "lastBatchRows")),
                     CountAt(status, "lastBatchMilliseconds"));
}

std::string Retrying(const json& status) {
  const std::string error = TextAt(status, "retrying");
  if (error.empty()) return "";
  return fmt::format("retrying (attempt {}): {}", CountAt(status, "retryAttempts"), error);
}

// "name ██████░░░░░░  43.2 %"
std::string Bar(const std::string& name, size_t name_width, const json& load) {
  const double percent = NumberAt(load, "percent");
  return fmt::format("  {}{} {} {:5.1f} %", name,
                     std::string(name_width - std::min(name_width, Width(name)), ' '),
                     ProgressBar(percent / 100, kBarWidth), percent);
}

std::string TableLine(const json& table, size_t name_width) {
  const std::string name = TextAt(table, "sourceSchemaName") + "." + TextAt(table, "sourceTable");
  const uint64_t changes = CountAt(table, "rowsInserted") + CountAt(table, "rowsUpdated") +
                           CountAt(table, "rowsDeleted");
  const std::string state = TextAt(table, "state");
  return fmt::format(
      "{}  {}  {}{}", Bar(name, name_width, table),
      state == "loading" ? LoadText(table)
                         : fmt::format("{} rows", WithThousands(CountAt(table, "rowsLoaded"))),
      state, changes == 0 ? "" : fmt::format(", {} changes", WithThousands(changes)));
}

// The whole load, while it runs.
std::string SnapshotLine(const json& status, size_t name_width) {
  const json load = status.value("snapshot", json::object());
  return fmt::format(
      "{}  {}  {} of {} tables, {} partitions loaded, {} in flight",
      Bar("snapshot", name_width, load), LoadText(load), WithThousands(CountAt(load, "tablesDone")),
      WithThousands(CountAt(load, "tables")), WithThousands(CountAt(load, "partitionsDone")),
      WithThousands(CountAt(load, "partitionsInFlight")));
}

size_t NameWidth(const json& tables) {
  size_t width = Width("snapshot");
  for (const json& table : tables) {
    width = std::max(
        width, Width(TextAt(table, "sourceSchemaName")) + 1 + Width(TextAt(table, "sourceTable")));
  }
  return width;
}

}  // namespace

bool IsAtWork(const json& status) {
  const std::string state = TextAt(status, "state");
  return state == "Snapshot" || state == "Running" || state == "Degraded" || state == "Resync";
}

std::vector<std::string> StatusLines(const json& status, ScreenSize size, bool colours) {
  std::vector<std::string> lines = {
      fmt::format("{}  {}  since {}", TextAt(status, "name"), TextAt(status, "state"),
                  TextAt(status, "stateSince")),
      "  " + Speed(status)};
  for (std::string extra : {TextAt(status, "reason"), Retrying(status)}) {
    if (!extra.empty()) lines.push_back("  " + std::move(extra));
  }
  const json tables = status.value("tables", json::array());
  const size_t name_width = NameWidth(tables);
  if (TextAt(status, "state") == "Snapshot") lines.push_back(SnapshotLine(status, name_width));
  const size_t all =
      std::max<size_t>(CountAt(status.value("snapshot", json::object()), "tables"), tables.size());
  for (size_t i = 0; i < tables.size(); ++i) {
    const size_t left = all - i;
    if (left > 1 && lines.size() + 1 >= size.height) {
      lines.push_back(fmt::format("  and {} more tables", left));
      break;
    }
    lines.push_back(TableLine(tables[i], name_width));
  }
  for (std::string& line : lines) line = Shorten(line, size.width);
  const std::string state = TextAt(status, "state");
  const size_t place = TextAt(status, "name").size() + 2;
  if (place + state.size() <= lines[0].size()) {
    lines[0].replace(place, state.size(), ColouredState(state, colours));
  }
  return lines;
}

std::string LoadText(const json& load) {
  std::string text = fmt::format(
      "{} of {} rows  {} of {}", WithThousands(CountAt(load, "rowsLoaded")),
      WithThousands(CountAt(load, "rowsEstimated")), FormatBytes(NumberAt(load, "bytesLoaded")),
      FormatBytes(NumberAt(load, "bytesEstimated")));
  if (const uint64_t rate = CountAt(load, "loadRowsPerSecond"); rate != 0) {
    text += fmt::format("  {} rows/s", WithThousands(rate));
  }
  const json left = load.value("secondsLeft", json());
  if (left.is_number() && left != 0)
    text += fmt::format("  {} left", FormatSeconds(left.get<double>()));
  return text;
}

std::string StatusLine(const json& status) {
  std::string line = TextAt(status, "state");
  if (line == "Snapshot") {
    const json load = status.value("snapshot", json::object());
    line += fmt::format(" {:.1f} %  {}", NumberAt(load, "percent"), LoadText(load));
  }
  line += "  " + Speed(status);
  const std::string retrying = Retrying(status);
  return retrying.empty() ? line : line + "  " + retrying;
}

}  // namespace penstock::cli
