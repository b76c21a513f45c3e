#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/table.h"

namespace penstock::snapshot {

// A place in a table's key order: for each range column, or the first of them only, an SQL literal
// (mysql::KeyLiteral), so that the server compares it as it compares its rows.
using Boundary = std::vector<std::string>;

// A slice of a table by its key: lower exclusive, upper inclusive, absent: open.
struct Partition {
  uint32_t index = 0;
  std::optional<Boundary> lower;
  std::optional<Boundary> upper;
  bool done = false;
  uint64_t rows = 0;  // when done
};

// The columns that partitions of the table range over: the longest prefix of its key whose columns
// compare the way their index is ordered (ENUM, SET and floating point do not). Empty: the table
// is one partition.
std::vector<size_t> RangeColumns(const model::Table& table);

// "a > 1 OR (a = 1 AND b > 2)" and its kind: a condition on the range columns that every supported
// server turns into an index range (comparing tuples would scan the table). "" for an open range.
std::string RangeCondition(const model::Table& table, const std::vector<size_t>& range_columns,
                           const std::optional<Boundary>& lower,
                           const std::optional<Boundary>& upper);

}  // namespace penstock::snapshot
