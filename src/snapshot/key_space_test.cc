#include "snapshot/key_space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::snapshot {
namespace {

using model::Column;
using model::SqlType;
using model::Value;
using testing::HasSubstr;

Column Of(SqlType type, const std::string& charset = "") {
  Column column;
  column.type = type;
  column.charset = charset;
  column.collation = charset + "_bin";
  return column;
}

// The literal in the middle between two values.
std::string Middle(const Column& column, const Value& low, const Value& high) {
  const auto space = KeySpace::Between(column, low, high);
  if (!space) return "none";
  const uint64_t from = space->PlaceOf(low);
  const uint64_t to = space->PlaceOf(high);
  EXPECT_LE(from, to);
  return space->LiteralAt(from + (to - from) / 2);
}

Value Day(uint16_t year, uint8_t month, uint8_t day) {
  return Value::Civil({.year = year, .month = month, .day = day});
}

TEST(KeySpaceTest, Numbers) {
  EXPECT_EQ(Middle(Of(SqlType::kInt), Value::Int(-10), Value::Int(30)), "10");
  EXPECT_EQ(Middle(Of(SqlType::kBigInt), Value::Int(INT64_MIN), Value::Int(INT64_MAX)), "-1");
  EXPECT_EQ(Middle(Of(SqlType::kBigInt), Value::Uint(0), Value::Uint(UINT64_MAX)),
            "9223372036854775807");
  Column decimal = Of(SqlType::kDecimal);
  decimal.scale = 2;
  EXPECT_EQ(Middle(decimal, Value::Decimal(-100), Value::Decimal(301)), "1.00");
}

TEST(KeySpaceTest, Times) {
  EXPECT_EQ(Middle(Of(SqlType::kDate), Day(2024, 1, 1), Day(2024, 3, 1)), "'2024-01-31'");
  EXPECT_EQ(Middle(Of(SqlType::kDate), Day(0, 0, 0), Day(0, 3, 1)), "'0000-01-31'");
  EXPECT_EQ(Middle(Of(SqlType::kDateTime), Day(2023, 12, 31), Day(2024, 1, 1)),
            "'2023-12-31 12:00:00.000000'");
  EXPECT_EQ(Middle(Of(SqlType::kTimestamp), Value::Civil({}), Value::Instant(2'000'000)),
            "'1970-01-01 00:00:01.000000'");
  EXPECT_EQ(Middle(Of(SqlType::kTime), Value::Time(-3'000'000), Value::Time(1'000'000)),
            "'-0:00:01.000000'");
}

TEST(KeySpaceTest, BytesGoOnAfterWhatTheyShare) {
  EXPECT_EQ(Middle(Of(SqlType::kVarBinary), Value::Bytes("\x01\x02"), Value::Bytes("\x01\x04")),
            "X'010300000000000000'");
  const std::string low(16, '\0');
  const std::string high(16, '\xff');
  EXPECT_EQ(Middle(Of(SqlType::kInet6), Value::Bytes(low), Value::Bytes(high)),
            "X'7FFFFFFFFFFFFFFF0000000000000000'");
  EXPECT_EQ(Middle(Of(SqlType::kInet4), Value::Bytes("\x0a\x01\x01\x01"),
                   Value::Bytes("\x0a\x01\x01\x81")),
            "X'0A010141'");
}

TEST(KeySpaceTest, TextIsGuessedByDigitsAndLetters) {
  const Column latin = Of(SqlType::kVarChar, "latin1");
  EXPECT_EQ(Middle(latin, Value::Bytes("order-10"), Value::Bytes("order-30")),
            "_latin1 X'6F726465722D323030303030303030303030' COLLATE latin1_bin")
      << "order-2 and zeros";
  const std::string upper = Middle(latin, Value::Bytes("A"), Value::Bytes("E"));
  EXPECT_THAT(upper, HasSubstr("X'43")) << "C";
  // A prefix ends before a character that may have more bytes.
  EXPECT_THAT(
      Middle(Of(SqlType::kVarChar, "sjis"), Value::Bytes("x\x83\x5c"), Value::Bytes("x\x83\x5d")),
      HasSubstr("X'787A"));
}

TEST(KeySpaceTest, NoOrderIsKnownOfOthers) {
  EXPECT_EQ(Middle(Of(SqlType::kDouble), Value::Double(1), Value::Double(2)), "none");
  EXPECT_EQ(Middle(Of(SqlType::kEnum), Value::Uint(1), Value::Uint(2)), "none");
  EXPECT_EQ(Middle(Of(SqlType::kUuid), Value::Bytes("a"), Value::Bytes("b")), "none");
  EXPECT_EQ(Middle(Of(SqlType::kVarChar, "utf16"), Value::Bytes("a"), Value::Bytes("b")), "none");
  EXPECT_EQ(Middle(Of(SqlType::kDecimal), Value::DecimalText("1"), Value::DecimalText("2")),
            "none");
}

}  // namespace
}  // namespace penstock::snapshot
