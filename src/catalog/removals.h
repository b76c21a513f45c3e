#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "catalog/catalog.h"
#include "catalog/sqlite.h"

namespace penstock::catalog {

// What is left to do for tables that are mapped no more. What stores is to be called inside a
// write; a record takes the place of one of the same table.
Status StoreRemovals(Sqlite& database, const std::string& pipe_id,
                     const std::vector<RemovalRecord>& removals);

// Likewise, and the pipe is deleted but for them.
Status StoreDeletion(Sqlite& database, const std::string& pipe_id,
                     const std::vector<RemovalRecord>& removals);

// Of one pipe, a row each for ReadRemoval.
inline constexpr char kSelectRemovals[] =
    "SELECT url, target, drop_target, source_schema, source_table FROM removals WHERE pipe_id = ? "
    "ORDER BY url, target, source_schema, source_table";
RemovalRecord ReadRemoval(const SqlRow& row);

}  // namespace penstock::catalog
