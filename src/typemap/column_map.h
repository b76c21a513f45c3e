#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "clickhouse/block.h"
#include "model/table.h"
#include "model/value.h"

namespace penstock::typemap {

// What a pipe may choose about types.
struct TypeOptions {
  bool allow_nullable_columns = true;
  bool tinyint1_is_bool = false;  // TINYINT(1) as Bool, BIT(1) as Bool
};

// Kinds of change a value may suffer because ClickHouse cannot hold it; each is counted.
enum class Change : uint8_t {
  kClamped,   // the nearest value that the type holds
  kNulled,    // NULL, since no value is near (a zero date)
  kReplaced,  // the type's default, where that NULL is not allowed
  kCount,
};

struct ChangeCounts {
  std::array<uint64_t, static_cast<size_t>(Change::kCount)> counts{};
  uint64_t& operator[](Change change) { return counts[static_cast<size_t>(change)]; }
  uint64_t total() const;
  void Add(const ChangeCounts& other);
};

// The ClickHouse side of one source column.
struct ColumnMapping {
  std::string declared_type;  // in CREATE TABLE: "LowCardinality(String)", "Nullable(Int32)"
  std::string native_type;    // what is sent, without Nullable: "String", "Int32"
  bool nullable = false;
};

// The one conversion table of the product. `in_key`: a column of the sorting key is never Nullable.
// A VECTOR becomes an Array, which cannot be Nullable: NULL is the empty array there, which a
// column that may be NULL holds for nothing else.
// kInvalidArgument, naming column and type, where the type is not supported.
Result<ColumnMapping> MapColumn(const model::Column& column, const TypeOptions& options,
                                bool in_key);

// TINYINT(1) and BIT(1) under the pipe's switch.
bool MapsToBool(const model::Column& column, const TypeOptions& options);

// Appends the cells of one column to its buffer. Made once per column and schema; stateless but for
// counting changes. One thread at a time.
class ColumnWriter {
 public:
  virtual ~ColumnWriter() = default;

  // Appends one value (and its NULL byte). A value that cannot be held follows the documented rule
  // and is counted; in a key column it is refused instead (kBadData, and nothing is appended).
  // A kind that does not belong to the column's type is kBadData.
  virtual Status Append(const model::Value& value, clickhouse::ColumnData& out) = 0;

  const ChangeCounts& changes() const { return changes_; }

 protected:
  ChangeCounts changes_;
};

// `in_key` as above.
Result<std::unique_ptr<ColumnWriter>> MakeColumnWriter(const model::Column& column,
                                                       const TypeOptions& options, bool in_key);

}  // namespace penstock::typemap
