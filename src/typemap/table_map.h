#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "clickhouse/block.h"
#include "clickhouse/constant_column.h"
#include "clickhouse/ddl.h"
#include "clickhouse/shard_rows.h"
#include "model/table.h"
#include "model/value.h"
#include "typemap/column_map.h"

namespace penstock::typemap {

// What a mapping chooses for one column.
struct ColumnOverride {
  std::string column;
  std::string target_type = {};  // TypeOptions::target_type
  std::string codec = {};        // "ZSTD(3)"; empty: ClickHouse's own choice

  bool operator==(const ColumnOverride&) const = default;
};

// How one source table becomes one destination table.
struct TargetOptions {
  std::vector<std::string> excluded_columns = {};
  std::vector<std::string> sorting_keys = {};  // the user's, in order; empty: the source key
  std::vector<ColumnOverride> overrides = {};
  TypeOptions types = {};  // of all columns
  // Of a table without a key: its rows are told apart by all columns that are not excluded. Of no
  // meaning where every change is kept.
  bool whole_row_may_be_key = false;
  clickhouse::Engine engine = clickhouse::Engine::kReplacingMergeTree;
  // Each row tells its source, by which the rows are sorted first: other tables may share the
  // destination's. Of kReplacingMergeTree only.
  bool tells_source = false;

  // With what is chosen for this column.
  TypeOptions TypesOf(const model::Table& source, const std::string& column) const;
};

// Whether rows of `source` that are equal are one at the destination. What deletes one deletes all.
bool WholeRowIsKey(const model::Table& source, const TargetOptions& options);

// What tells the rows of `source` from those of others in the same table, where they may be there.
std::optional<clickhouse::Shard> ShardOf(const model::Table& source, const TargetOptions& options);

// The destination's ORDER BY: the user's sorting keys, then the source key columns not among them;
// before all the columns that tell the source.
// kInvalidArgument for unknown, excluded or nullable columns, and for a table without a key, unless
// its whole row may be one (its columns may be NULL) or every change is kept. Empty for Null.
Result<std::vector<std::string>> SortingKey(const model::Table& source,
                                            const TargetOptions& options);

// Whether the sorting key is the source's primary key, in whatever order: what a row image of the
// log always tells, however little else it holds.
bool SortedByPrimaryKey(const model::Table& source, const TargetOptions& options);

// Whether the overrides name columns of the table, each once, and codecs that are some. Their types
// are MapColumn's.
Status CheckOverrides(const model::Table& source, const TargetOptions& options);

// The columns of CREATE TABLE, without the meta columns; at the end those that tell the source.
Result<std::vector<clickhouse::DestinationColumn>> DestinationColumns(const model::Table& source,
                                                                      const TargetOptions& options);

// `source` as its readers need it: an excluded column is of type kUnsupported, so that neither a
// SELECT nor the log's decoder reads its cells; rows keep a place for it.
model::Table TableToRead(const model::Table& source, const TargetOptions& options);

// Appends whole rows of one source table to blocks of its destination table. One thread at a time.
class TableWriter {
 public:
  static Result<TableWriter> Make(const model::Table& source, const TargetOptions& options);

  // An empty block with this table's columns and the meta columns that are not the server's.
  clickhouse::Block NewBlock() const;

  // Appends one row to a block made by NewBlock. On failure (kBadData, naming the column) the block
  // is as it was. `row` has a value per column of the source table.
  Status Append(model::Row row, uint64_t version, clickhouse::ChangeKind kind,
                clickhouse::Block& out);

  // Likewise the deletion of the row with this key, of which the other values do not matter.
  Status AppendDeletion(model::Row row, uint64_t version, clickhouse::Block& out);

  // Whether the row holds a value of every column that is written, or of the sorting key's.
  bool IsWhole(model::Row row) const;
  bool HoldsKey(model::Row row) const;

  // Whether the sorting key of the two rows (of Null, what would be one) differs in the bytes
  // ClickHouse would store.
  bool KeyChanged(model::Row before, model::Row after) const;

  // What became of values by rule since the last call.
  model::ValueChanges TakeChanges();
  // The counts at some moment, and back to them when the rows since then are taken back.
  void SaveChanges(std::vector<model::ChangeCounts>& saved) const;
  void RestoreChanges(const std::vector<model::ChangeCounts>& saved);

 private:
  struct ColumnPlan {
    size_t source_index;
    bool in_key;
    std::string name;
    ColumnMapping mapping;
    std::unique_ptr<ColumnWriter> writer;
    std::optional<ColumnWriter::PlainInteger> plain;  // of the writer
  };
  static Result<TableWriter> MakeUnnamed(const model::Table& source, const TargetOptions& options);
  template <bool kKeyOnly>
  Status AppendCells(model::Row row, uint64_t version, clickhouse::ChangeKind kind,
                     clickhouse::Block& out);
  // Takes back the first `cells` cells of the row being appended.
  void TakeBack(size_t cells, clickhouse::Block& out) const;

  bool tells_kind_ = false;
  size_t source_columns_ = 0;
  std::vector<ColumnPlan> columns_;
  std::vector<size_t> key_columns_;                    // source indexes of the sorting key
  std::vector<clickhouse::ConstantColumn> constants_;  // those that tell the source
  std::vector<size_t> row_starts_;  // sizes of the values before the row being appended
};

}  // namespace penstock::typemap
