#include "cli/check_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "cli/output.h"

namespace penstock::cli {
namespace {

using nlohmann::json;

struct SeverityLook {
  std::string_view severity;  // as the API has it
  std::string_view text;
  std::string_view plural;
  std::string_view colour;  // the terminal's, by ECMA-48
};
constexpr std::array kLooks = {
    SeverityLook{"error", "error", "errors", "1;31"},
    SeverityLook{"warning", "warning", "warnings", "33"},
    SeverityLook{"ok", "ok", "ok", "32"},
    SeverityLook{"notRun", "not run", "not run", "2"},
};
constexpr size_t kTextWidth = 7;         // of the longest
constexpr size_t kMessageWidthMin = 30;  // a narrower terminal wraps by itself

std::string Field(const json& object, const char* key) {
  return Printable(object.value(key, std::string()));
}

const SeverityLook& LookOf(std::string_view severity) {
  const auto* found = std::ranges::find(kLooks, severity, &SeverityLook::severity);
  return found == kLooks.end() ? kLooks[0] : *found;
}

// At spaces, so that no line is longer than `width` where that can be; 0: as it is.
std::vector<std::string> Wrapped(std::string_view text, size_t width) {
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::string& line = lines.back();
    if (line.empty()) {
      line = word;
    } else if (width == 0 || Width(line) + 1 + Width(word) <= width) {
      line += fmt::format(" {}", word);
    } else {
      lines.emplace_back(word);
    }
  }
  return lines;
}

class Report {
 public:
  Report(const json& findings, const ReportStyle& style) : style_(style) {
    size_t name_width = 0;
    for (const json& finding : findings) {
      name_width = std::max(name_width, Width(Field(finding, "check")));
    }
    indent_ = 2 + kTextWidth + 2 + name_width + 2;
    name_width_ = name_width;
  }

  void Add(const json& finding) {
    const SeverityLook& look = LookOf(Field(finding, "severity"));
    const std::string name = Field(finding, "check");
    const auto lines = Wrapped(Field(finding, "message"), MessageWidth());
    text_ += fmt::format(
        "  {}{:{}}  {}{:{}}  {}\n", Coloured(look.text, look.colour, style_.colours), "",
        kTextWidth - Width(look.text), name, "", name_width_ - Width(name), lines.front());
    AddLines(lines, 1);
    AddRemedy(finding);
  }

  void AddHeading(std::string_view heading) {
    text_ +=
        fmt::format("{}{}\n", text_.empty() ? "" : "\n", Coloured(heading, "1", style_.colours));
  }

  std::string TakeText() { return std::move(text_); }

 private:
  size_t MessageWidth() const {
    if (style_.width == 0) return 0;
    return std::max(style_.width, indent_ + kMessageWidthMin) - indent_;
  }

  void AddLines(const std::vector<std::string>& lines, size_t from) {
    for (size_t i = from; i < lines.size(); ++i) {
      text_ += fmt::format("{:{}}{}\n", "", indent_, lines[i]);
    }
  }

  void AddRemedy(const json& finding) {
    const std::string remedy = Field(finding, "remedy");
    const std::string statement = Field(finding, "statement");
    if (remedy.empty() && statement.empty()) return;
    const std::string_view colon = statement.empty() ? "" : ":";
    AddLines(Wrapped(fmt::format("fix: {}{}", remedy, colon), MessageWidth()), 0);
    // A line that is wrapped cannot be copied.
    if (!statement.empty()) {
      text_ += fmt::format("{:{}}{}\n", "", indent_, Coloured(statement, "36", style_.colours));
    }
  }

  const ReportStyle style_;
  size_t indent_ = 0;
  size_t name_width_ = 0;
  std::string text_;
};

}  // namespace

std::string CountsText(const json& report) {
  std::map<std::string_view, size_t> counts;
  for (const json& finding : report.value("findings", json::array())) {
    ++counts[LookOf(Field(finding, "severity")).severity];
  }
  std::string text;
  for (const SeverityLook& look : kLooks) {
    const size_t count = counts[look.severity];
    if (count == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", WithThousands(count),
                        count == 1 ? look.text : look.plural);
  }
  return text;
}

std::string ReportText(const json& report, const ReportStyle& style) {
  const json findings = report.value("findings", json::array());
  Report text(findings, style);
  std::string group;
  for (const json& finding : findings) {
    if (Field(finding, "group") != group) {
      group = Field(finding, "group");
      text.AddHeading(group);
    }
    text.Add(finding);
  }
  text.AddHeading(CountsText(report));
  std::string all = text.TakeText();
  const json ddl = report.value("ddl", json::array());
  if (!ddl.empty()) all += "\nWhat create would run:\n";
  for (const json& statement : ddl) all += fmt::format("\n{};\n", statement.get<std::string>());
  return all;
}

}  // namespace penstock::cli
