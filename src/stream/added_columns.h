#pragma once

#include <vector>

#include "base/status.h"
#include "clickhouse/ddl.h"
#include "ddl/added_column.h"
#include "model/table.h"
#include "mysql/wire/connection.h"
#include "typemap/table_map.h"

namespace penstock::stream {

// What becomes of a table to which columns are added.
struct Addition {
  model::Table definition;
  typemap::TableWriter writer;                 // of rows by that
  std::vector<clickhouse::NewColumn> columns;  // what its target lacks, in their order
};

// The statement alone tells, never the source as it is by now. kConflict: it does not tell all, or
// asks for more than columns at the destination: what is right is known by loading the table anew.
// kInvalidArgument: the table as it is then cannot be mapped. `source` prints types in its way.
Result<Addition> PlanAddition(const model::Table& before, const typemap::TargetOptions& options,
                              const std::vector<ddl::AddedColumn>& added,
                              const mysql::ServerInfo& source);

}  // namespace penstock::stream
