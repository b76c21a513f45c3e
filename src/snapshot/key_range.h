#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/table.h"
#include "mysql/wire/connection.h"

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
  uint64_t rows = 0;  // when done, as the bytes
  uint64_t bytes = 0;
};

// What partitions of a table range over.
struct RangeKey {
  std::vector<size_t> columns;  // empty: the table is one partition
  std::string index;            // that has them first; "": the server chooses
  bool is_unique = false;       // no two rows have the same
};

// The longest prefix of the table's key whose columns compare the way their index is ordered (ENUM,
// SET and floating point do not); or, where the mapping names one, its partition key.
// kInvalidArgument for a partition key that is no indexed integer, date or time.
Result<RangeKey> FindRangeKey(mysql::Connection& connection, const model::Table& table,
                              const std::string& partition_key, std::stop_token stop);
std::vector<size_t> RangeColumns(const model::Table& table);

// "a BETWEEN 2 AND 9", "a > 1 OR (a = 1 AND b > 2)" and their kind: a condition on the range
// columns that every supported server turns into an index range (comparing tuples would scan the
// table). "" for an open range. NULLs come first.
std::string RangeCondition(const model::Table& table, const std::vector<size_t>& range_columns,
                           const std::optional<Boundary>& lower,
                           const std::optional<Boundary>& upper);

}  // namespace penstock::snapshot
