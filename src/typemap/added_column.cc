#include "typemap/added_column.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <optional>

#include "base/hex.h"
#include "clickhouse/quote.h"

namespace penstock::typemap {
namespace {

using model::ColumnDefault;
using model::SqlType;
using Kind = ColumnDefault::Kind;
// nullopt: not known for sure.
using Expression = std::optional<std::string>;

bool IsDigits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

template <typename Number>
std::optional<Number> Parse(std::string_view text) {
  Number number{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

Expression Cast(std::string_view text, const std::string& type) {
  return fmt::format("CAST({}, {})", clickhouse::QuoteString(text), clickhouse::QuoteString(type));
}

Expression Integer(const std::string& text, bool is_bool) {
  const auto negative = Parse<int64_t>(text);
  const auto positive = Parse<uint64_t>(text);
  if (!negative && !positive) return std::nullopt;
  if (is_bool) return negative == 0 ? "false" : "true";
  return positive ? fmt::format("{}", *positive) : fmt::format("{}", *negative);
}

// A fraction that the source would round is not looked at.
Expression Decimal(const model::Column& column, std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  const size_t point = std::min(digits.find('.'), digits.size());
  const std::string_view fraction = digits.substr(std::min(point + 1, digits.size()));
  if (!IsDigits(digits.substr(0, point)) || fraction.size() > column.scale ||
      (point != digits.size() && !IsDigits(fraction))) {
    return std::nullopt;
  }
  return Cast(text, fmt::format("Decimal({}, {})", column.precision, column.scale));
}

// By its bytes: ClickHouse reads some texts as a neighbour of the nearest number.
template <typename Float>
Expression Floating(const model::Column& column, const std::string& text) {
  const auto number = Parse<double>(text);
  if (!number || column.type_text.find('(') != std::string::npos) return std::nullopt;
  const auto value = static_cast<Float>(*number);
  std::string bytes(sizeof(value), '\0');
  std::memcpy(bytes.data(), &value, sizeof(value));
  return fmt::format("reinterpretAsFloat{}(unhex('{}'))", 8 * sizeof(value), Hex(bytes));
}

// Text beyond ASCII is looked at where the column's character set holds all of it.
Expression Text(const model::Column& column, std::string text) {
  if (!IsAscii(text) && column.charset != "utf8mb4") return std::nullopt;
  const auto characters = static_cast<uint64_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  if (column.type != SqlType::kText && characters > column.length) return std::nullopt;
  if (column.type == SqlType::kChar) text.erase(text.find_last_not_of(' ') + 1);
  return clickhouse::QuoteString(text);
}

// Labels as they are spelled, in their order.
Expression Labels(const model::Column& column, std::string_view text) {
  auto next = column.labels.begin();
  for (std::string_view left = text; !left.empty();) {
    const size_t comma =
        column.type == SqlType::kSet ? std::min(left.find(','), left.size()) : left.size();
    next = std::find(next, column.labels.end(), left.substr(0, comma));
    if (next++ == column.labels.end()) return std::nullopt;
    left.remove_prefix(std::min(comma + 1, left.size()));
  }
  if (text.empty() && column.type == SqlType::kEnum) return std::nullopt;
  return clickhouse::QuoteString(text);
}

// "12:34:56" with at most `scale` digits of a fraction. `pattern`: a 0 stands for any digit.
bool HasShape(std::string_view text, std::string_view pattern, uint32_t scale) {
  if (text.size() < pattern.size()) return false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const bool fits = pattern[i] == '0' ? IsDigits(text.substr(i, 1)) : text[i] == pattern[i];
    if (!fits) return false;
  }
  text.remove_prefix(pattern.size());
  return text.empty() || (text[0] == '.' && IsDigits(text.substr(1)) && text.size() - 1 <= scale);
}

// As people write them in full; of the range that ClickHouse has.
Expression Date(const model::Column& column, std::string text) {
  const bool is_date = column.type == SqlType::kDate;
  if (!is_date && HasShape(text, "0000-00-00", 0)) text += " 00:00:00";
  if (!HasShape(text, is_date ? "0000-00-00" : "0000-00-00 00:00:00", column.scale)) {
    return std::nullopt;
  }
  if (text.starts_with("0000-00-00")) return "";  // NULL, or 1970: as of any such value
  const std::chrono::year_month_day day(std::chrono::year(*Parse<int>(text.substr(0, 4))),
                                        std::chrono::month(*Parse<unsigned>(text.substr(5, 2))),
                                        std::chrono::day(*Parse<unsigned>(text.substr(8, 2))));
  const int year = static_cast<int>(day.year());
  if (!day.ok() || year < 1900 || year > 2299) return std::nullopt;
  return Cast(text, is_date ? "Date32" : fmt::format("DateTime64({}, 'UTC')", column.scale));
}

Expression Time(const model::Column& column, const std::string& text) {
  const std::string_view size = std::string_view(text).substr(text.starts_with('-') ? 1 : 0);
  if (!HasShape(size, "00:00:00", column.scale) && !HasShape(size, "000:00:00", column.scale)) {
    return std::nullopt;
  }
  return Cast(text, fmt::format("Time64({})", column.scale));
}

// Of a column that is NOT NULL, and has no default.
Expression Implicit(const model::Column& column) {
  switch (column.type) {
    case SqlType::kEnum:
      if (column.labels.empty()) return std::nullopt;
      return clickhouse::QuoteString(column.labels[0]);
    case SqlType::kBinary:  // filled with zeros
    case SqlType::kJson:
    case SqlType::kGeometry:
    case SqlType::kVector:
    case SqlType::kTimestamp:  // some servers make it the time
    case SqlType::kUnsupported:
      return std::nullopt;
    default:
      return "";
  }
}

Expression Literal(const model::Column& column, const ColumnDefault& value,
                   const TypeOptions& options) {
  const std::string& text = value.text;
  const bool is_text = value.kind == Kind::kText;
  switch (column.type) {
    case SqlType::kTinyInt:
    case SqlType::kSmallInt:
    case SqlType::kMediumInt:
    case SqlType::kInt:
    case SqlType::kBigInt:
      return Integer(text, MapsToBool(column, options));
    case SqlType::kBit:
      return is_text ? std::nullopt : Integer(text, MapsToBool(column, options));
    case SqlType::kDecimal:
      return Decimal(column, text);
    case SqlType::kFloat:
      return Floating<float>(column, text);
    case SqlType::kDouble:
      return Floating<double>(column, text);
    case SqlType::kChar:
    case SqlType::kVarChar:
    case SqlType::kText:
      if (!is_text && (!IsDigits(text) || (text.size() > 1 && text[0] == '0'))) return std::nullopt;
      return Text(column, text);
    case SqlType::kVarBinary:
    case SqlType::kBlob:
      return is_text && IsAscii(text) ? Expression(clickhouse::QuoteString(text)) : std::nullopt;
    case SqlType::kEnum:
    case SqlType::kSet:
      return is_text ? Labels(column, text) : std::nullopt;
    case SqlType::kDate:
    case SqlType::kDateTime:
      return is_text ? Date(column, text) : std::nullopt;
    case SqlType::kTime:
      return is_text ? Time(column, text) : std::nullopt;
    case SqlType::kYear:
      return text.size() == 4 && IsDigits(text) ? Integer(text, false) : std::nullopt;
    default:
      return std::nullopt;
  }
}

Expression DefaultOf(const model::Column& column, const ColumnDefault& value,
                     const TypeOptions& options) {
  if (!options.target_type.empty()) return std::nullopt;
  const bool given = value.kind == Kind::kNumber || value.kind == Kind::kText;
  if (given) return Literal(column, value, options);
  if (column.nullable) return "";  // NULL, or what stands for it
  return value.kind == Kind::kNone ? Implicit(column) : std::nullopt;
}

}  // namespace

Result<std::string> OldRowsDefault(const model::Column& column, const model::ColumnDefault& value,
                                   const TypeOptions& options) {
  auto expression = DefaultOf(column, value, options);
  // ClickHouse's own default of a date is 1900-01-01, and what stands for a date that there is none
  // is 1970-01-01.
  const bool may_be_null = column.nullable && options.allow_nullable_columns;
  if (expression && expression->empty() && column.type == SqlType::kDate && !may_be_null) {
    return *Cast("1970-01-01", "Date32");
  }
  if (expression) return *std::move(expression);
  return Fail(ErrorCode::kConflict, "what earlier rows hold in the column {} is not known for sure",
              column.name);
}

}  // namespace penstock::typemap
