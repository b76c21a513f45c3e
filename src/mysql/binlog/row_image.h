#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"
#include "base/status.h"
#include "model/table.h"
#include "model/value.h"
#include "mysql/binlog/column_plan.h"
#include "mysql/binlog/compressed_column.h"
#include "mysql/binlog/event.h"
#include "mysql/binlog/json_diff.h"

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
  // until BeginRow. `row` must have a place per column of the definition; hidden columns are read
  // over. Malformed bytes are kBadData.
  Status Decode(ByteReader& reader, std::string_view present, std::span<model::Value> row);

  // Likewise the second image of an update in `rows`, after Decode() of its first into `before`.
  // Columns that only the first image holds (binlog_row_image FULL_NODUP) are as they were there.
  // Where it holds differences of JSON documents (Rows::partial_json), they are applied to the
  // documents of the first image, so that `row` is whole either way. kNeedsUser when that image
  // lacks such a document (binlog_row_image MINIMAL, NOBLOB).
  Status DecodeAfter(ByteReader& reader, const Rows& rows, model::Row before,
                     std::span<model::Value> row);

  // Whether the image decoded last, into `row`, is a row of its table. Always, but for
  // system-versioned tables, whose log has rows that have ended too. kNeedsUser when the image does
  // not tell (binlog_row_image MINIMAL).
  Result<bool> IsCurrent(model::Row row) const;

  // Call before the first image of each row (an update has two images, alive together).
  void BeginRow() {
    scratch_used_ = 0;
    for (std::string_view& document : documents_) document = {};
  }

  // Those of the log, hidden ones included.
  size_t column_count() const { return columns_.size(); }

 private:
  Status AddHidden(const model::Table& table, const TableMap& map);
  // `before`: the first image, when this is the second one.
  template <typename DecodeOne>
  Status DecodeCells(ByteReader& reader, std::string_view present, std::optional<model::Row> before,
                     std::span<model::Value> row, const DecodeOne& decode_one);
  Status DecodeImage(ByteReader& reader, std::string_view present, std::optional<model::Row> before,
                     std::span<model::Value> row);
  model::Value DecodeCell(size_t column, ByteReader& reader);
  model::Value DecodeBinary(const ColumnPlan& plan, ByteReader& reader);
  model::Value DecodeCompressed(const ColumnPlan& plan, ByteReader& reader);
  model::Value DecodeJson(size_t column, ByteReader& reader);
  model::Value PatchJson(size_t column, const model::Value& before, ByteReader& reader,
                         Status& status);
  bool AllPresent(std::string_view present) const;
  std::string& Scratch();
  Failure Malformed(size_t column) const;
  Failure MissingBefore(size_t column) const;

  model::TableName table_;
  size_t visible_ = 0;  // of the columns, those of the definition
  std::optional<size_t> row_end_;
  std::vector<model::Value> hidden_;  // of the image decoded last
  std::vector<ColumnPlan> columns_;
  std::vector<std::string> names_;
  std::deque<std::string> scratch_;  // stable strings for JSON text, decimals, padding
  size_t scratch_used_ = 0;
  // Of JSON columns: the number of each among them, and the document decoded last in this row.
  std::vector<size_t> json_numbers_;  // one a column
  std::vector<std::string_view> documents_;
  JsonPatcher patcher_;
  ColumnInflater inflater_;
};

}  // namespace penstock::binlog
