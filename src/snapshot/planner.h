#pragma once

#include <optional>
#include <stop_token>

#include "base/status.h"
#include "model/table.h"
#include "mysql/wire/connection.h"
#include "snapshot/key_range.h"

namespace penstock::snapshot {

// Cuts a table into partitions by walking its key's index, one boundary a call, so that the first
// partitions are read while later ones are planned. Rows inserted behind the walk lie in the last
// partition, or come by the log. Holds no state on the server; one thread at a time.
class Planner {
 public:
  struct Options {
    uint64_t rows_per_partition = 100'000;
    std::string comment;  // "/* ... */ " put into every query
  };
  // `after`: the last partition planned earlier, to go on from.
  Planner(const model::Table& table, Options options, const std::optional<Partition>& after);

  // The next partition; nullopt when the one before reached the end of the table.
  Result<std::optional<Partition>> Next(mysql::Connection& connection, std::stop_token stop);

 private:
  Result<std::optional<Boundary>> FindUpper(mysql::Connection& connection, std::stop_token stop);

  const model::Table& table_;
  Options options_;
  std::vector<size_t> range_columns_;
  uint32_t next_index_ = 0;
  std::optional<Boundary> lower_;
  bool ended_ = false;
};

// The server's own guess of the number of rows: cheap, and may be far off. For progress bars only.
Result<uint64_t> EstimateRows(mysql::Connection& connection, const model::TableName& name,
                              std::stop_token stop);

}  // namespace penstock::snapshot
