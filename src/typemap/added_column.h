#pragma once

#include <string>

#include "base/status.h"
#include "model/table.h"
#include "typemap/column_map.h"

namespace penstock::typemap {

// What a column that ALTER TABLE adds holds in the rows that are there already, as the SQL
// expression of a DEFAULT in ClickHouse; "" where that is the default of the column's type. In
// those rows it has `value`: converted, it is what a row of the snapshot or of the log would have.
// kConflict where that is not known for sure.
Result<std::string> OldRowsDefault(const model::Column& column, const model::ColumnDefault& value,
                                   const TypeOptions& options);

}  // namespace penstock::typemap
