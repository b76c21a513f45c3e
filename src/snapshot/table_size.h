#pragma once

#include <cstdint>
#include <map>
#include <stop_token>
#include <vector>

#include "base/status.h"
#include "model/table.h"
#include "mysql/wire/connection.h"

namespace penstock::snapshot {

// The server's own guess: cheap, and may be far off.
struct TableSize {
  uint64_t rows = 0;
  uint64_t bytes = 0;
};

// Of all `names`, in a query for each schema. One that the server does not know, or knows under
// another spelling, is missing in the answer.
Result<std::map<model::TableName, TableSize>> EstimateSizes(
    mysql::Connection& connection, const std::vector<model::TableName>& names,
    std::stop_token stop);

}  // namespace penstock::snapshot
