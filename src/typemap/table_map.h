#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "clickhouse/block.h"
#include "clickhouse/ddl.h"
#include "model/table.h"
#include "model/value.h"
#include "typemap/column_map.h"

namespace penstock::typemap {

// How one source table becomes one destination table.
struct TargetOptions {
  std::vector<std::string> excluded_columns = {};
  std::vector<std::string> sorting_keys = {};  // the user's, in order; empty: the source key
  TypeOptions types = {};
};

// The destination's ORDER BY: the user's sorting keys, then the source key columns not among them.
// kInvalidArgument for unknown, excluded or nullable columns, and for a table without a key.
Result<std::vector<std::string>> SortingKey(const model::Table& source,
                                            const TargetOptions& options);

// The columns of CREATE TABLE, without the meta columns.
Result<std::vector<clickhouse::DestinationColumn>> DestinationColumns(const model::Table& source,
                                                                      const TargetOptions& options);

// `source` as its readers need it: an excluded column is of type kUnsupported, so that neither a
// SELECT nor the log's decoder reads its cells; rows keep a place for it.
model::Table TableToRead(const model::Table& source, const TargetOptions& options);

// Appends whole rows of one source table to blocks of its destination table. One thread at a time.
class TableWriter {
 public:
  static Result<TableWriter> Make(const model::Table& source, const TargetOptions& options);

  // An empty block with this table's columns and the meta columns version and is_deleted.
  clickhouse::Block NewBlock() const;

  // Appends one row to a block made by NewBlock. On failure (kBadData, naming the column) the block
  // is as it was. `row` has a value per column of the source table.
  Status Append(model::Row row, uint64_t version, bool is_deleted, clickhouse::Block& out);

  // Whether the sorting key of the two rows differs in the bytes ClickHouse would store.
  bool KeyChanged(model::Row before, model::Row after) const;

  // Values changed by rule since this writer was made, one entry a column of the source table
  // (zeros for excluded ones).
  std::vector<ChangeCounts> changes() const;

 private:
  struct ColumnPlan {
    size_t source_index;
    std::string name;
    ColumnMapping mapping;
    std::unique_ptr<ColumnWriter> writer;
  };
  static Result<TableWriter> MakeUnnamed(const model::Table& source, const TargetOptions& options);
  // Takes back the first `cells` cells of the row being appended.
  void TakeBack(size_t cells, clickhouse::Block& out) const;

  size_t source_columns_ = 0;
  std::vector<ColumnPlan> columns_;
  std::vector<size_t> key_columns_;  // source indexes of the sorting key
  std::vector<size_t> row_starts_;   // sizes of the values before the row being appended
};

}  // namespace penstock::typemap
