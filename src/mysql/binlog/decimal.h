#pragma once

#include <cstdint>
#include <string>

#include "base/byte_reader.h"

namespace penstock::binlog {

// The packed DECIMAL of rows and of JSON: the digits before and after the point in groups of nine,
// each a big-endian integer of four bytes, an incomplete first and last group in fewer; the highest
// bit of the first byte is inverted, and for a negative number all bits are.
// https://dev.mysql.com/doc/dev/mysql-server/latest/decimal_8cc.html (decimal2bin)
struct DecimalShape {
  static constexpr uint32_t kPrecisionMax = 65;
  static constexpr uint32_t kScaleMax = 38;  // MariaDB's; MySQL has 30
  // Nine groups: what MySQL computes with, and puts into JSON. DECIMAL(65,30) becomes 36 digits
  // before the point and 30 after it there.
  static constexpr uint32_t kJsonPrecisionMax = 81;

  uint32_t precision = 0;
  uint32_t scale = 0;

  bool valid() const {
    return precision >= 1 && precision <= kPrecisionMax && scale <= kScaleMax && scale <= precision;
  }
  bool valid_in_json() const {
    return precision >= 1 && precision <= kJsonPrecisionMax && scale <= precision;
  }
};

// How many bytes a number of a valid shape takes.
uint32_t DecimalBytes(DecimalShape shape);

// All read one number of a valid shape; malformed digits fail the reader.

// Precision up to 18: the number without its point, -1230 for -12.30.
int64_t ReadDecimal(ByteReader& reader, DecimalShape shape);
// Appends "-12.30": no zeros before the first digit but one before the point, all `scale` digits
// after it.
void AppendDecimalText(ByteReader& reader, DecimalShape shape, std::string& text);

}  // namespace penstock::binlog
