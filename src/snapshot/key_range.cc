#include "snapshot/key_range.h"

#include <fmt/format.h>

#include "mysql/wire/connection.h"

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

bool IsText(SqlType type) {
  return type == SqlType::kChar || type == SqlType::kVarChar || type == SqlType::kText;
}

bool IsBinary(SqlType type) {
  return type == SqlType::kBinary || type == SqlType::kVarBinary || type == SqlType::kBlob;
}

// MariaDB compares these types with X'...' in the order of the column's index. It must not be a
// CAST to the type: the index of a UUID column that an older server made has another order.
uint32_t AddressBytes(SqlType type) {
  if (type == SqlType::kInet4) return 4;
  return type == SqlType::kUuid || type == SqlType::kInet6 ? 16 : 0;
}

bool IsTemporal(SqlType type) {
  return type == SqlType::kDate || type == SqlType::kDateTime || type == SqlType::kTimestamp ||
         type == SqlType::kTime;
}

// Rows beyond (`strict` '<' or '>') the boundary in key order; `last` compares the last column.
std::string Beyond(const model::Table& table, const std::vector<size_t>& range_columns,
                   const Boundary& boundary, char strict, std::string_view last) {
  std::string condition;
  for (size_t i = range_columns.size(); i-- > 0;) {
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

std::string BoundaryExpression(const model::Column& column) {
  std::string name = mysql::QuoteIdentifier(column.name);
  if (IsText(column.type) || IsBinary(column.type)) return "HEX(" + name + ")";
  if (const uint32_t bytes = AddressBytes(column.type)) {
    return fmt::format("HEX(CAST({} AS BINARY({})))", name, bytes);
  }
  if (column.type == SqlType::kBit) return name + "+0";
  return name;
}

std::string FormatBoundary(const model::Column& column, const std::string& text) {
  if (IsText(column.type)) {
    return fmt::format("_{} X'{}' COLLATE {}", column.charset, text, column.collation);
  }
  if (IsBinary(column.type) || AddressBytes(column.type) != 0) return "X'" + text + "'";
  if (IsTemporal(column.type)) return "'" + text + "'";
  return text;
}

std::string RangeCondition(const model::Table& table, const std::vector<size_t>& range_columns,
                           const std::optional<Boundary>& lower,
                           const std::optional<Boundary>& upper) {
  std::string condition;
  if (lower) condition = fmt::format("({})", Beyond(table, range_columns, *lower, '>', ">"));
  if (upper) {
    if (!condition.empty()) condition += " AND ";
    condition += fmt::format("({})", Beyond(table, range_columns, *upper, '<', "<="));
  }
  return condition;
}

}  // namespace penstock::snapshot
