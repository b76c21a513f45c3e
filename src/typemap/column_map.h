#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "clickhouse/block.h"
#include "model/table.h"
#include "model/value.h"
#include "model/value_changes.h"

namespace penstock::typemap {

// What a pipe may choose about types; the last for one column.
struct TypeOptions {
  bool allow_nullable_columns = true;
  bool tinyint1_is_bool = false;  // TINYINT(1) as Bool, BIT(1) as Bool
  bool nullable_keys = false;     // columns of the sorting key may be Nullable
  std::string target_type = {};   // in place of the default (chosen_type.h); empty: the default
};

// The ClickHouse side of one source column.
struct ColumnMapping {
  std::string declared_type;  // in CREATE TABLE: "LowCardinality(String)", "Nullable(Int32)"
  std::string native_type;    // what is sent, without Nullable: "String", "Int32"
  std::string native_prefix;  // clickhouse::ColumnData::prefix
  bool nullable = false;
};

// The one conversion table of the product. `in_key`: a column of the sorting key, where no two
// values may become one. A VECTOR becomes an Array, which cannot be Nullable: NULL is the empty
// array there, which a column that may be NULL holds for nothing else. kInvalidArgument, naming
// column and type, where the type is not supported.
Result<ColumnMapping> MapColumn(const model::Column& column, const TypeOptions& options,
                                bool in_key);

// What becomes of values that the column's type in ClickHouse cannot hold, as a sentence for
// people;
// "" where it holds them all. In a sorting key such a value is refused instead.
std::string RangeRule(const model::Column& column, const TypeOptions& options);

// TINYINT(1) and BIT(1) under the pipe's switch.
bool MapsToBool(const model::Column& column, const TypeOptions& options);

// Appends the cells of one column to its buffer. Made once per column and schema; stateless but for
// counting changes. One thread at a time.
class ColumnWriter {
 public:
  virtual ~ColumnWriter() = default;

  // Integers that go as they are: the cell of a value of `kind` that fits into `bytes` is its low
  // bytes (and its NULL byte). Who appends rows may do that without Append, whose call costs more.
  struct PlainInteger {
    model::ValueKind kind;
    uint8_t bytes;
    bool nullable;

    bool Holds(const model::Value& value) const {
      if (value.kind != kind) return false;
      const int unused = 64 - 8 * bytes;
      return kind == model::ValueKind::kInt
                 ? static_cast<int64_t>(value.u << unused) >> unused == value.i
                 : value.u << unused >> unused == value.u;
    }
  };
  virtual std::optional<PlainInteger> plain_integer() const { return std::nullopt; }

  // Appends one value (and its NULL byte). A value that cannot be held follows the documented rule
  // and is counted; in a key column it is refused instead (kBadData, and nothing is appended).
  // A kind that does not belong to the column's type is kBadData.
  virtual Status Append(const model::Value& value, clickhouse::ColumnData& out) = 0;

  // Appends the default of the column's type, NULL where there is NULL: a value nobody reads.
  virtual void AppendNothing(clickhouse::ColumnData& out) = 0;

  // Values changed by rule so far. To be set back where rows are taken back.
  model::ChangeCounts& changes() { return changes_; }

 protected:
  model::ChangeCounts changes_;
};

// `in_key` as above.
Result<std::unique_ptr<ColumnWriter>> MakeColumnWriter(const model::Column& column,
                                                       const TypeOptions& options, bool in_key);

}  // namespace penstock::typemap
