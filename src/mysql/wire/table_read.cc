#include "mysql/wire/table_read.h"

#include <fmt/format.h>

#include <chrono>

#include "base/check.h"
#include "base/hex.h"
#include "mysql/wire/definitions.h"

namespace penstock::mysql {
namespace {

using model::SqlType;
using model::Value;
using model::ValueKind;

constexpr int64_t kMicros = 1'000'000;

std::string CivilText(const model::CivilTime& civil, bool has_time) {
  std::string text = fmt::format("'{:04}-{:02}-{:02}", civil.year, civil.month, civil.day);
  if (has_time) {
    text += fmt::format(" {:02}:{:02}:{:02}.{:06}", civil.hour, civil.minute, civil.second,
                        civil.microsecond);
  }
  return text + "'";
}

// In UTC, which is the session's zone.
std::string InstantText(int64_t micros) {
  const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(micros)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const int64_t of_day = (time - day).count();
  const int64_t seconds = of_day / kMicros;
  return fmt::format("'{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}'", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     seconds / 3600, seconds / 60 % 60, seconds % 60, of_day % kMicros);
}

std::string TimeText(int64_t micros) {
  const int64_t size = micros < 0 ? -micros : micros;
  const int64_t seconds = size / kMicros;
  return fmt::format("'{}{}:{:02}:{:02}.{:06}'", micros < 0 ? "-" : "", seconds / 3600,
                     seconds / 60 % 60, seconds % 60, size % kMicros);
}

std::string DecimalText(int64_t unscaled, uint32_t scale) {
  std::string digits = fmt::format("{:0{}}", unscaled < 0 ? -unscaled : unscaled, scale + 1);
  if (scale != 0) digits.insert(digits.size() - scale, ".");
  return unscaled < 0 ? "-" + digits : digits;
}

// Of an ENUM the label, since the number is not what its index is searched by.
std::string UintText(const model::Column& column, uint64_t number) {
  if (column.type != SqlType::kEnum || number == 0 || number > column.labels.size()) {
    return fmt::format("{}", number);
  }
  return fmt::format("_utf8mb4 X'{}'", Hex(column.labels[number - 1]));
}

// With the column's own character set and collation: else the server would convert one of both.
std::string BytesText(const model::Column& column, std::string_view bytes) {
  const std::string hex = Hex(bytes);
  if (column.charset.empty()) return fmt::format("X'{}'", hex);
  return fmt::format("_{} X'{}' COLLATE {}", column.charset, hex, column.collation);
}

}  // namespace

std::string QueryComment(const std::string& pipe_name) {
  std::string safe;
  for (const char c : pipe_name) {
    if (c != '*' && c != '/' && c != '\\' && static_cast<unsigned char>(c) >= 0x20) safe += c;
  }
  return "/* penstock " + safe + " */ ";
}

std::string FromClause(const model::TableName& table, const std::string& index,
                       std::string_view use) {
  std::string clause = QuoteIdentifier(table.schema) + "." + QuoteIdentifier(table.table);
  if (!index.empty()) clause += fmt::format(" {} INDEX ({})", use, QuoteIdentifier(index));
  return clause;
}

std::string KeyLiteral(const model::Column& column, const Value& value) {
  switch (value.kind) {
    case ValueKind::kInt:
      return fmt::format("{}", value.i);
    case ValueKind::kUint:
      return UintText(column, value.u);
    case ValueKind::kFloat:
    case ValueKind::kDouble:
      return fmt::format("{}", value.d);
    case ValueKind::kDecimal:
      return DecimalText(value.i, column.scale);
    case ValueKind::kDecimalText:
      return std::string(value.bytes);
    case ValueKind::kCivil:
      return CivilText(value.civil, column.type != SqlType::kDate);
    case ValueKind::kInstant:
      return InstantText(value.i);
    case ValueKind::kTime:
      return TimeText(value.i);
    case ValueKind::kBytes:
      return BytesText(column, value.bytes);
    case ValueKind::kAbsent:
      return "DEFAULT(" + QuoteIdentifier(column.name) + ")";
    case ValueKind::kNull:
      break;
  }
  return "NULL";
}

std::string KeyCondition(const model::Table& table, model::Row row) {
  PENSTOCK_CHECK(row.size() >= table.columns.size());
  std::string condition;
  for (const size_t index : table.key) {
    const model::Column& column = table.columns[index];
    condition += fmt::format("{}{} = {}", condition.empty() ? "" : " AND ",
                             QuoteIdentifier(column.name), KeyLiteral(column, row[index]));
  }
  return condition;
}

namespace {

Result<model::Table> PinnedDefinition(Connection& connection, const model::Table& table,
                                      const std::string& comment, const std::stop_token& stop) {
  // Touching the table takes its metadata lock, which pins the definition for what follows.
  PENSTOCK_TRY(connection.Query(
      fmt::format("{}SELECT 1 FROM {} LIMIT 1", comment, FromClause(table.name, "")), stop));
  PENSTOCK_ASSIGN(auto now, ReadDefinitions(connection, {table.name}, stop));
  return std::move(now[table.name]);
}

Status CheckSame(const model::Table& table, const model::Table& now) {
  if (model::Fingerprint(now) == model::Fingerprint(table)) return {};
  return Fail(Error{.code = ErrorCode::kNeedsUser,
                    .message = fmt::format("the definition of {} changed since the pipe was set up",
                                           table.name.ToString()),
                    .origin = "source",
                    .native_code = 0,
                    .remedy = "Resync the table (penstock resync)"});
}

}  // namespace

Status PinDefinition(Connection& connection, const model::Table& table, const std::string& comment,
                     std::stop_token stop) {
  PENSTOCK_ASSIGN(const auto now, PinnedDefinition(connection, table, comment, stop));
  return CheckSame(table, now);
}

Status BeginRead(Connection& connection, const model::Table& table, const std::string& comment,
                 std::stop_token stop) {
  PENSTOCK_TRY(connection.Execute("START TRANSACTION READ ONLY", stop));
  PENSTOCK_ASSIGN(auto now, PinnedDefinition(connection, table, comment, stop));
  model::RemoveAdded(table, now);
  return CheckSame(table, now);
}

}  // namespace penstock::mysql
