#include "snapshot/key_range.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "mysql/wire/definitions.h"

namespace penstock::snapshot {
namespace {

using model::SqlType;

bool OrdersAsCompared(SqlType type) {
  switch (type) {
    case SqlType::kEnum:
    case SqlType::kSet:
    case SqlType::kFloat:
    case SqlType::kDouble:
    case SqlType::kJson:
    case SqlType::kGeometry:
    case SqlType::kVector:
    case SqlType::kUnsupported:
      return false;
    default:
      return true;
  }
}

bool IsInteger(SqlType type) {
  switch (type) {
    case SqlType::kTinyInt:
    case SqlType::kSmallInt:
    case SqlType::kMediumInt:
    case SqlType::kInt:
    case SqlType::kBigInt:
      return true;
    default:
      return false;
  }
}

bool MayBePartitionKey(const model::Column& column) {
  switch (column.type) {
    case SqlType::kDate:
    case SqlType::kDateTime:
    case SqlType::kTimestamp:
      return true;
    default:
      return IsInteger(column.type);
  }
}

// "41" -> "42"; nullopt where there is none.
template <typename Integer>
std::optional<std::string> Successor(const std::string& literal) {
  Integer value{};
  const char* end = literal.data() + literal.size();
  const auto parsed = std::from_chars(literal.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  if (value == std::numeric_limits<Integer>::max()) return std::nullopt;
  return fmt::format("{}", value + 1);
}

// The server tests a range for each row, and one test costs it less than two.
std::optional<std::string> Between(const model::Column& column, const Boundary& lower,
                                   const Boundary& upper) {
  if (!IsInteger(column.type) || lower.size() != 1 || upper.size() != 1) return std::nullopt;
  const auto first =
      column.is_unsigned ? Successor<uint64_t>(lower[0]) : Successor<int64_t>(lower[0]);
  if (!first) return std::nullopt;
  return fmt::format("{} BETWEEN {} AND {}", mysql::QuoteIdentifier(column.name), *first, upper[0]);
}

Failure BadPartitionKey(const model::Table& table, std::string_view name, std::string_view why) {
  return Fail(
      Error{.code = ErrorCode::kInvalidArgument,
            .message = fmt::format("{}: partitionKey {} {}", table.name.ToString(), name, why),
            .origin = "source",
            .native_code = 0,
            .remedy = "Name an indexed column of an integer, date, datetime or timestamp "
                      "type, or leave partitionKey out"});
}

// Rows beyond (`strict` '<' or '>') the boundary in key order; `last` compares the last column.
std::string Beyond(const model::Table& table, const std::vector<size_t>& range_columns,
                   const Boundary& boundary, char strict, std::string_view last) {
  std::string condition;
  for (size_t i = std::min(boundary.size(), range_columns.size()); i-- > 0;) {
    const std::string column = mysql::QuoteIdentifier(table.columns[range_columns[i]].name);
    if (condition.empty()) {
      condition = fmt::format("{} {} {}", column, last, boundary[i]);
    } else {
      condition = fmt::format("{0} {1} {2} OR ({0} = {2} AND ({3}))", column, strict, boundary[i],
                              condition);
    }
  }
  return condition;
}

}  // namespace

std::vector<size_t> RangeColumns(const model::Table& table) {
  std::vector<size_t> columns;
  for (const size_t index : table.key) {
    if (!OrdersAsCompared(table.columns[index].type)) break;
    columns.push_back(index);
  }
  return columns;
}

Result<RangeKey> FindRangeKey(mysql::Connection& connection, const model::Table& table,
                              const std::string& partition_key, std::stop_token stop) {
  RangeKey key{.columns = RangeColumns(table), .index = table.key_is_primary ? "PRIMARY" : ""};
  key.is_unique = !key.columns.empty() && key.columns.size() == table.key.size();
  if (!partition_key.empty()) {
    const auto column = std::ranges::find(table.columns, partition_key, &model::Column::name);
    if (column == table.columns.end() || !MayBePartitionKey(*column)) {
      return BadPartitionKey(table, partition_key,
                             "is no integer, date, datetime or timestamp column");
    }
    key = {.columns = {static_cast<size_t>(column - table.columns.begin())},
           .index = "",
           .is_unique = false};
  }
  if (!key.index.empty() || key.columns.empty()) return key;
  std::vector<std::string> names;
  for (const size_t index : key.columns) names.push_back(table.columns[index].name);
  PENSTOCK_ASSIGN(key.index, mysql::FindIndex(connection, table.name, names, std::move(stop)));
  if (key.index.empty() && !partition_key.empty()) {
    return BadPartitionKey(table, partition_key, "is not the first column of an index");
  }
  return key;
}

std::string RangeCondition(const model::Table& table, const std::vector<size_t>& range_columns,
                           const std::optional<Boundary>& lower,
                           const std::optional<Boundary>& upper) {
  if (lower && upper) {
    if (auto between = Between(table.columns[range_columns[0]], *lower, *upper)) return *between;
  }
  std::string condition;
  if (lower) condition = fmt::format("({})", Beyond(table, range_columns, *lower, '>', ">"));
  if (upper) {
    if (!condition.empty()) condition += " AND ";
    const model::Column& first = table.columns[range_columns[0]];
    condition += fmt::format("({}{})", Beyond(table, range_columns, *upper, '<', "<="),
                             !lower && first.nullable
                                 ? fmt::format(" OR {} IS NULL", mysql::QuoteIdentifier(first.name))
                                 : "");
  }
  return condition;
}

}  // namespace penstock::snapshot
