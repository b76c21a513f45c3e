#include "snapshot/key_range.h"

#include <fmt/format.h>

#include <algorithm>

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
