#include "mysql/wire/labels.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace penstock::mysql {
namespace {

using model::Column;
using model::SqlType;

constexpr size_t kLabelsPerQuery = 200;

bool IsUnsure(const std::string& label) { return label.find('?') != std::string::npos; }

// A column of a recursive CTE has the type, and so the labels, of its first part, and NULLs do not
// change that. What is then added to it as a number is a label's number. One row with NULL begins
// the recursion, which adds all numbers at once and ends.
std::string LabelQuery(const model::TableName& table, const Column& column,
                       std::span<const size_t> indexes) {
  std::vector<std::string> numbers;
  for (const size_t index : indexes) {
    const std::string value =
        column.type == SqlType::kSet ? fmt::format("1<<{}", index) : fmt::format("{}", index + 1);
    numbers.push_back(fmt::format("SELECT {} AS i, {} AS v", index + 1, value));
  }
  return fmt::format(
      "WITH RECURSIVE labels(i, v) AS (SELECT 0, {} FROM {}.{} WHERE 0 UNION ALL SELECT 0, NULL "
      "UNION ALL SELECT numbers.i, numbers.v FROM labels JOIN ({}) AS numbers ON labels.i=0) "
      "SELECT i, CONVERT(v USING utf8mb4) FROM labels WHERE i<>0",
      QuoteIdentifier(column.name), QuoteIdentifier(table.schema), QuoteIdentifier(table.table),
      fmt::join(numbers, " UNION ALL "));
}

// Puts an answer in the place of the label it belongs to; false when it cannot be that one.
bool TakeLabel(const TextRow& row, Column& column) {
  if (row.size() != 2 || !row[0] || !row[1]) return false;
  size_t number = 0;
  std::from_chars(row[0]->data(), row[0]->data() + row[0]->size(), number);
  if (number == 0 || number > column.labels.size()) return false;
  std::string& label = column.labels[number - 1];
  if (LabelInUtf8Mb3(*row[1]) != label) return false;
  label = *row[1];
  return true;
}

bool Passes(ErrorCode code) { return code == ErrorCode::kRetry || code == ErrorCode::kCancelled; }

}  // namespace

bool LabelsAreUnsure(const Column& column) {
  constexpr std::array<std::string_view, 5> kWide = {"utf8mb4", "utf16", "utf16le", "utf32",
                                                     "gb18030"};
  return std::ranges::find(kWide, column.charset) != kWide.end() &&
         std::ranges::any_of(column.labels, IsUnsure);
}

std::string LabelInUtf8Mb3(std::string_view label) {
  constexpr uint8_t kLeadOfFour = 0xf0;
  std::string text;
  for (size_t i = 0; i < label.size(); ++i) {
    const bool wide = static_cast<uint8_t>(label[i]) >= kLeadOfFour;
    text += wide ? '?' : label[i];
    if (wide) i += 3;
  }
  return text;
}

Status ReadSureLabels(Connection& connection, const model::TableName& table, Column& column,
                      std::stop_token stop) {
  std::vector<size_t> indexes;
  for (size_t i = 0; i < column.labels.size(); ++i) {
    if (IsUnsure(column.labels[i])) indexes.push_back(i);
  }
  Column sure = column;
  for (size_t start = 0; start < indexes.size(); start += kLabelsPerQuery) {
    const auto part =
        std::span(indexes).subspan(start, std::min(kLabelsPerQuery, indexes.size() - start));
    const auto rows = connection.Query(LabelQuery(table, column, part), stop);
    if (!rows && Passes(rows.error().code)) return Fail(rows.error());
    const bool known =
        rows && rows->size() == part.size() &&
        std::ranges::all_of(*rows, [&](const TextRow& row) { return TakeLabel(row, sure); });
    if (!known) {
      column.type = SqlType::kUnsupported;
      return {};
    }
  }
  column = std::move(sure);
  return {};
}

}  // namespace penstock::mysql
