#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "model/table.h"

namespace penstock::typemap {

// A ClickHouse type that a mapping chooses for one column in place of the default one.
struct ChosenType {
  enum class Kind : uint8_t {
    kString,
    kFixedString,
    kInt,   // signed, of `bits`
    kUint,  // of `bits`
    kFloat64,
    kDecimal,
    kBool,
    kDate,
    kDate32,
    kDateTime,
    kDateTime64,
    kEnum8,
    kEnum16,
    kJson,
    kWkb,  // a String: the SRID and the well-known binary form, as stored
  };
  Kind kind = Kind::kString;
  bool low_cardinality = false;
  uint32_t bits = 0;       // of integers
  uint32_t length = 0;     // FixedString: bytes
  uint32_t precision = 0;  // Decimal
  uint32_t scale = 0;      // Decimal, DateTime64
  std::string zone;        // DateTime, DateTime64; empty: none given
};

// Reads the type as a user writes it ("Decimal(20, 4)", "LowCardinality(String)", "Enum8") and
// holds it against the list of conversions that keep every value of `column`, or follow a rule of
// their own. kInvalidArgument, naming the column, with what is possible instead.
Result<ChosenType> ChooseType(const model::Column& column, std::string_view text);

// As Native names it, without LowCardinality and Nullable: "Enum8('' = 0, 'new' = 1)".
std::string NativeTypeOf(const ChosenType& type, const model::Column& column);

// What a column of Native data begins with (clickhouse::ColumnData::prefix).
std::string NativePrefixOf(const ChosenType& type);

}  // namespace penstock::typemap
