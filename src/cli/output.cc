#include "cli/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace penstock::cli {
namespace {

constexpr char kEscape = '\x1b';

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

std::string Printable(std::string_view text) {
  std::string clean(text);
  for (size_t i = 0; i < clean.size(); ++i) {
    const auto c = static_cast<unsigned char>(clean[i]);
    if (c < 0x20 || c == 0x7f) clean[i] = ' ';
    // U+0080 to U+009F, which some terminals obey too.
    const bool c1 =
        c == 0xc2 && i + 1 < clean.size() && static_cast<unsigned char>(clean[i + 1]) < 0xa0;
    if (c1) clean[i] = clean[i + 1] = ' ';
  }
  return clean;
}

size_t Width(std::string_view text) {
  size_t width = 0;
  bool in_colour = false;
  for (const char c : text) {
    in_colour = in_colour || c == kEscape;
    if (!in_colour && !IsContinuation(c)) ++width;
    if (c == 'm') in_colour = false;
  }
  return width;
}

std::string Shorten(std::string_view text, size_t width) {
  size_t seen = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsContinuation(text[i])) continue;
    if (seen == width) return std::string(text.substr(0, i));
    ++seen;
  }
  return std::string(text);
}

std::string FormatTable(const std::vector<std::string>& header,
                        const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  widths.reserve(header.size());
  for (const std::string& cell : header) widths.push_back(Width(cell));
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  std::string text;
  const auto add = [&](const std::vector<std::string>& row) {
    for (size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - Width(row[i]) + 2, ' ');
    }
    text += '\n';
  };
  add(header);
  for (const auto& row : rows) add(row);
  return text;
}

std::string WithThousands(uint64_t number) {
  std::string digits = fmt::format("{}", number);
  for (size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string FormatBytes(double bytes) {
  size_t unit = 0;
  constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB"};
  for (; bytes >= 1000 && unit + 1 < kUnits.size(); ++unit) bytes /= 1000;
  return fmt::format("{:.{}f} {}", bytes, unit == 0 ? 0 : 1, kUnits[unit]);
}

std::string FormatSeconds(double seconds) {
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1000);
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<uint64_t>(seconds);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
  return fmt::format("{} d {} h", whole / 86400, whole / 3600 % 24);
}

std::string Cell(const nlohmann::json& object, const char* key) {
  const nlohmann::json value = object.value(key, nlohmann::json());
  if (value.is_string()) return Printable(value.get<std::string>());
  if (value.is_number_unsigned()) return WithThousands(value.get<uint64_t>());
  return value.is_null() ? "" : value.dump();
}

std::string SourceName(const nlohmann::json& table) {
  return Cell(table, "sourceSchemaName") + "." + Cell(table, "sourceTable");
}

std::string ProgressBar(double share, size_t width) {
  const double bounded = std::clamp(share, 0.0, 1.0);
  const auto filled = static_cast<size_t>(std::lround(bounded * static_cast<double>(width)));
  std::string bar;
  for (size_t i = 0; i < width; ++i) bar += i < filled ? "█" : "░";
  return bar;
}

bool ColoursWanted() {
  const auto variable = [](const char* name) -> std::string_view {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  return ::isatty(STDOUT_FILENO) == 1 && variable("NO_COLOR").empty() && variable("TERM") != "dumb";
}

std::string Coloured(std::string_view text, std::string_view colour, bool wanted) {
  if (!wanted || text.empty()) return std::string(text);
  return fmt::format("{0}[{1}m{2}{0}[0m", kEscape, colour, text);
}

std::string ColouredState(std::string_view state, bool wanted) {
  struct Look {
    std::string_view states;
    std::string_view colour;
  };
  constexpr std::array kLooks = {Look{"Running Completed following loaded", "32"},
                                 Look{"Degraded", "33"}, Look{"Failed quarantined", "1;31"},
                                 Look{"Pausing Paused waiting", "2"}};
  for (const auto& [states, colour] : kLooks) {
    if (states.find(state) != std::string_view::npos) return Coloured(state, colour, wanted);
  }
  return Coloured(state, "36", wanted);  // on its way
}

void Print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void PrintError(std::string_view text) {
  const std::string line = fmt::format("penstock: {}\n", Printable(text));
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace penstock::cli
