#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"
#include "base/status.h"
#include "model/table.h"
#include "model/value.h"
#include "mysql/binlog/column_plan.h"
#include "mysql/binlog/event.h"

namespace penstock::binlog {

// Decodes the row images of one table as a table map describes them, into one Value per column of
// the definition that was valid at that position. One thread at a time.
class RowImageDecoder {
 public:
  // kConflict when the map does not fit the definition (number of columns, a name, a type, a
  // length, a sign): the schema changed. Cells of kUnsupported columns are skipped, and are NULL.
  static Result<RowImageDecoder> Make(const model::Table& table, const TableMap& map);

  // Decodes one image from `reader`; columns missing in the `present` bitmap become kAbsent.
  // Views in `row` point into the reader's bytes or into this decoder's scratch space, and live
  // until BeginRow. `row` must have a place per column. Malformed bytes are kBadData.
  Status Decode(ByteReader& reader, std::string_view present, std::span<model::Value> row);

  // Call before the first image of each row (an update has two images, alive together).
  void BeginRow() { scratch_used_ = 0; }

  size_t column_count() const { return columns_.size(); }

 private:
  model::Value DecodeCell(const ColumnPlan& plan, ByteReader& reader);
  model::Value DecodeBinary(const ColumnPlan& plan, ByteReader& reader);
  model::Value DecodeJson(const ColumnPlan& plan, ByteReader& reader);
  bool AllPresent(std::string_view present) const;
  std::string& Scratch();
  Failure Malformed(size_t column) const;

  model::TableName table_;
  std::vector<ColumnPlan> columns_;
  std::vector<std::string> names_;
  std::deque<std::string> scratch_;  // stable strings for JSON text, decimals, padding
  size_t scratch_used_ = 0;
};

}  // namespace penstock::binlog
