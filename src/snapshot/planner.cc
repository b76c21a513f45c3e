#include "snapshot/planner.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

#include "mysql/wire/table_read.h"

namespace penstock::snapshot {

Planner::Planner(const model::Table& table, Options options, const std::optional<Partition>& after)
    : table_(table), options_(std::move(options)), range_columns_(RangeColumns(table)) {
  if (!after) return;
  next_index_ = after->index + 1;
  lower_ = after->upper;
  ended_ = !after->upper.has_value();
}

Result<std::optional<Partition>> Planner::Next(mysql::Connection& connection,
                                               std::stop_token stop) {
  if (ended_) return std::nullopt;
  std::optional<Boundary> upper;
  if (!range_columns_.empty()) {
    PENSTOCK_ASSIGN(upper, FindUpper(connection, stop));
  }
  Partition partition{.index = next_index_++, .lower = lower_, .upper = upper};
  lower_ = std::move(upper);
  ended_ = !lower_.has_value();
  return partition;
}

Result<std::optional<Boundary>> Planner::FindUpper(mysql::Connection& connection,
                                                   std::stop_token stop) {
  std::vector<std::string> expressions;
  std::vector<std::string> order;
  for (const size_t index : range_columns_) {
    expressions.push_back(BoundaryExpression(table_.columns[index]));
    order.push_back(mysql::QuoteIdentifier(table_.columns[index].name));
  }
  const std::string condition = RangeCondition(table_, range_columns_, lower_, {});
  const std::string sql = fmt::format(
      "{}SELECT {} FROM {}{}{} ORDER BY {} LIMIT 1 OFFSET {}", options_.comment,
      fmt::join(expressions, ","), mysql::FromClause(table_), condition.empty() ? "" : " WHERE ",
      condition, fmt::join(order, ","), options_.rows_per_partition - 1);
  PENSTOCK_ASSIGN(const auto rows, connection.Query(sql, stop));
  if (rows.empty()) return std::nullopt;

  Boundary boundary;
  for (size_t i = 0; i < range_columns_.size(); ++i) {
    if (i >= rows[0].size() || !rows[0][i]) {
      return Fail(ErrorCode::kBadData, "{}: the source answered NULL for a key column",
                  table_.name.ToString());
    }
    boundary.push_back(FormatBoundary(table_.columns[range_columns_[i]], *rows[0][i]));
  }
  return boundary;
}

Result<uint64_t> EstimateRows(mysql::Connection& connection, const model::TableName& name,
                              std::stop_token stop) {
  PENSTOCK_ASSIGN(
      const auto rows,
      connection.Query(fmt::format("SELECT TABLE_ROWS FROM information_schema.TABLES "
                                   "WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {}",
                                   mysql::QuoteString(name.schema), mysql::QuoteString(name.table)),
                       stop));
  uint64_t estimate = 0;
  if (!rows.empty() && !rows[0].empty() && rows[0][0]) {
    const std::string& text = *rows[0][0];
    std::from_chars(text.data(), text.data() + text.size(), estimate);
  }
  return estimate;
}

}  // namespace penstock::snapshot
