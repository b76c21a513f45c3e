#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace penstock::model {

// A date and time of day as MySQL stores them: any part may be zero ("0000-00-00", "2024-00-00"),
// so this is not yet a point in time. No zone.
struct CivilTime {
  uint16_t year = 0;
  uint8_t month = 0;
  uint8_t day = 0;
  uint8_t hour = 0;
  uint8_t minute = 0;
  uint8_t second = 0;
  uint32_t microsecond = 0;

  bool operator==(const CivilTime&) const = default;
};

enum class ValueKind : uint8_t {
  kNull,
  kAbsent,   // the row image does not hold this column (binlog_row_image MINIMAL, NOBLOB)
  kInt,      // i: TINYINT to BIGINT
  kUint,     // u: the unsigned ones, YEAR, BIT, ENUM (index from 1; 0 is the empty error value),
             //    SET (bit i is member i)
  kFloat,    // d, exactly representable as float
  kDouble,   // d
  kDecimal,  // i: unscaled, of a DECIMAL(p<=18, s): -12.30 of DECIMAL(10,2) is -1230
  kDecimalText,  // bytes: plain digits of a DECIMAL(p>18, s): "-12.30", always with all s fraction
                 // digits
  kCivil,        // civil: DATE, DATETIME, and the zero TIMESTAMP
  kInstant,      // i: microseconds since the Unix epoch, TIMESTAMP
  kTime,         // i: microseconds, signed, TIME
  kBytes,  // bytes: CHAR, TEXT (in the column's character set), BINARY (padded to its length),
           //    BLOB, JSON (as text, UTF-8), geometry (SRID, well-known binary), VECTOR (floats,
           //    little-endian), UUID and INET6 (16 bytes) and INET4 (4) in the order of their text
};

// One cell, as received: a view that copies nothing. `bytes` points into the received packet or the
// decoder's scratch space and lives until that decoder's next row. Both the result-set decoder and
// the row-image decoder make exactly these, so a cell is the same whichever way it came.
struct Value {
  ValueKind kind = ValueKind::kNull;
  union {
    int64_t i;
    uint64_t u;
    double d;
    CivilTime civil;
  };
  std::string_view bytes;

  Value() : i(0) {}

  static Value Null() { return {}; }
  static Value Absent() {
    Value value;
    value.kind = ValueKind::kAbsent;
    return value;
  }
  static Value Int(int64_t i) { return Signed(ValueKind::kInt, i); }
  static Value Uint(uint64_t u) {
    Value value;
    value.kind = ValueKind::kUint;
    value.u = u;
    return value;
  }
  static Value Float(float f) { return Floating(ValueKind::kFloat, static_cast<double>(f)); }
  static Value Double(double d) { return Floating(ValueKind::kDouble, d); }
  static Value Decimal(int64_t unscaled) { return Signed(ValueKind::kDecimal, unscaled); }
  static Value DecimalText(std::string_view digits) {
    return View(ValueKind::kDecimalText, digits);
  }
  static Value Civil(CivilTime civil) {
    Value value;
    value.kind = ValueKind::kCivil;
    value.civil = civil;
    return value;
  }
  static Value Instant(int64_t micros) { return Signed(ValueKind::kInstant, micros); }
  static Value Time(int64_t micros) { return Signed(ValueKind::kTime, micros); }
  static Value Bytes(std::string_view bytes) { return View(ValueKind::kBytes, bytes); }

  bool is_null() const { return kind == ValueKind::kNull; }

 private:
  static Value Signed(ValueKind kind, int64_t i) {
    Value value;
    value.kind = kind;
    value.i = i;
    return value;
  }
  static Value Floating(ValueKind kind, double d) {
    Value value;
    value.kind = kind;
    value.d = d;
    return value;
  }
  static Value View(ValueKind kind, std::string_view bytes) {
    Value value;
    value.kind = kind;
    value.bytes = bytes;
    return value;
  }
};

// Same kind and same content. Doubles compare by bits (NaN equals itself, 0.0 is not -0.0).
bool operator==(const Value& a, const Value& b);

// The cells of one row, in the order of TableDefinition::columns.
using Row = std::span<const Value>;

}  // namespace penstock::model
