#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"
#include "base/status.h"
#include "model/table.h"
#include "model/value.h"

namespace penstock::mysql {

// The select list that BinaryRowDecoder understands, e.g. "`a`,CAST(`kind` AS UNSIGNED)|0,`c`":
// ENUM and SET as numbers, so that their labels are read from the definition by both ways; UUID,
// INET4 and INET6 as their bytes; columns of type kUnsupported (those that a pipe excludes) as
// NULL; the others as they are.
std::string SelectList(const model::Table& table);

// Decodes raw row packets of a SELECT of SelectList(table) into one Value per column.
// One thread at a time.
class BinaryRowDecoder {
 public:
  explicit BinaryRowDecoder(const model::Table& table);

  // `row` must have a place per column. Views in it live until the next call, or as long as the
  // packet, whichever is shorter. A packet that does not fit the table is kBadData.
  Status Decode(std::string_view packet, std::span<model::Value> row);

 private:
  struct ColumnPlan {
    model::SqlType type;
    size_t integer_bytes;  // 0: no integer
    bool is_unsigned;
    uint32_t precision;
    uint32_t scale;
    uint64_t length;
  };
  static void ReadInteger(const ColumnPlan& column, ByteReader& reader, model::Value& out);
  static model::Value ReadCell(const ColumnPlan& column, ByteReader& reader);

  std::vector<ColumnPlan> columns_;
};

}  // namespace penstock::mysql
