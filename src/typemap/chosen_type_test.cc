#include "typemap/chosen_type.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "clickhouse/block.h"
#include "typemap/column_for_test.h"
#include "typemap/column_map.h"

namespace penstock::typemap {
namespace {

using namespace std::string_literals;
using model::Change;
using model::Column;
using model::SqlType;
using model::Value;
using ::testing::HasSubstr;

Column Text(std::string charset) {
  Column column = Of(SqlType::kText, true);
  column.charset = std::move(charset);
  return column;
}

Column Enum(std::vector<std::string> labels) {
  Column column = Of(SqlType::kEnum);
  column.labels = std::move(labels);
  return column;
}

Column Binary(uint64_t length) {
  Column column = Of(SqlType::kBinary);
  column.length = length;
  return column;
}

// The declared type; "" when it is refused.
std::string Declared(const Column& column, const std::string& type, bool in_key = false) {
  const auto mapping = MapColumn(column, {.target_type = type}, in_key);
  if (mapping) return mapping->declared_type;
  EXPECT_EQ(mapping.error().code, ErrorCode::kInvalidArgument);
  return "";
}

TEST(ChosenTypeTest, KeepsEveryValueOrIsRefused) {
  struct Case {
    Column column;
    std::string type;
    std::string declared;  // "": refused
  };
  const std::vector<Case> cases = {
      {Of(SqlType::kTinyInt), "Int16", "Int16"},
      {Of(SqlType::kTinyInt), "UInt16", ""},
      {Unsigned(SqlType::kTinyInt), "UInt8", "UInt8"},
      {Unsigned(SqlType::kTinyInt), "Int8", ""},
      {Unsigned(SqlType::kTinyInt), "Int16", "Int16"},
      {Unsigned(SqlType::kBigInt), "Int64", ""},
      {Of(SqlType::kBigInt), "Int32", ""},
      {Of(SqlType::kMediumInt), " Int64 ", "Int64"},
      {Of(SqlType::kYear), "Int32", "Int32"},
      {Of(SqlType::kYear), "UInt8", ""},
      {Of(SqlType::kTinyInt), "Bool", "Bool"},
      {Of(SqlType::kSmallInt), "Bool", ""},
      {WithScale(SqlType::kBit, 0, 1), "Bool", "Bool"},
      {WithScale(SqlType::kBit, 0, 2), "Bool", ""},
      {Of(SqlType::kFloat), "Float64", "Float64"},
      {Of(SqlType::kInt), "Float64", ""},
      {Of(SqlType::kDouble), "String", ""},
      {WithScale(SqlType::kDecimal, 2, 10), "Decimal(12, 4)", "Decimal(12, 4)"},
      {WithScale(SqlType::kDecimal, 2, 10), "Decimal(10,3)", ""},
      {WithScale(SqlType::kDecimal, 2, 10), "Decimal(77, 2)", ""},
      {WithScale(SqlType::kDecimal, 2, 10), "Decimal(-1, 2)", ""},
      {WithScale(SqlType::kDecimal, 2, 10), "String", "String"},
      {Of(SqlType::kDate), "Date", "Date"},
      {Of(SqlType::kDate), "DateTime", ""},
      {Of(SqlType::kDate), "String", "String"},
      {WithScale(SqlType::kTimestamp, 0), "DateTime", "DateTime"},
      {WithScale(SqlType::kTimestamp, 0), "DateTime('Asia/Tokyo')", "DateTime('Asia/Tokyo')"},
      {WithScale(SqlType::kTimestamp, 3), "DateTime", ""},
      {WithScale(SqlType::kDateTime, 0), "DateTime('UTC')", "DateTime('UTC')"},
      {WithScale(SqlType::kDateTime, 0), "DateTime", ""},
      {WithScale(SqlType::kDateTime, 0), "DateTime('Asia/Tokyo')", ""},
      {WithScale(SqlType::kTimestamp, 3), "DateTime64(6, 'Asia/Tokyo')",
       "DateTime64(6, 'Asia/Tokyo')"},
      {WithScale(SqlType::kTimestamp, 3), "DateTime64(2)", ""},
      {WithScale(SqlType::kTimestamp, 3), "DateTime64(9)", ""},
      {WithScale(SqlType::kTimestamp, 3), "DateTime64(3, 'x') DEFAULT now('')", ""},
      {Text("utf8mb4"), "LowCardinality(String)", "LowCardinality(Nullable(String))"},
      {Text("utf8mb4"), "LowCardinality(Int8)", ""},
      {Text("utf8mb4"), "JSON", "Nullable(JSON)"},
      {Text("latin1"), "JSON", ""},
      {Of(SqlType::kJson), "JSON", "JSON"},
      {Of(SqlType::kBlob), "JSON", ""},
      {Binary(16), "FixedString(16)", "FixedString(16)"},
      {Binary(16), "FixedString(17)", ""},
      {Enum({"a'b", "c"}), "Enum8", "Enum8('' = 0, 'a\\'b' = 1, 'c' = 2)"},
      {Enum({"a", ""}), "Enum8", ""},
      {Enum(std::vector<std::string>(128, "x")), "Enum8", ""},
      {Text("utf8mb4"), "Nullable(String)", ""},
      {Of(SqlType::kGeometry), "WKB", "String"},
      {Of(SqlType::kBlob), "WKB", ""},
      {Of(SqlType::kUuid), "String", ""},
      {Text("utf8mb4"), "Strin", ""},
      {Text("utf8mb4"), "String(", ""},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(Declared(one.column, one.type), one.declared) << one.type;
  }
}

TEST(ChosenTypeTest, JsonIsNoKey) { EXPECT_EQ(Declared(Of(SqlType::kJson), "JSON", true), ""); }

TEST(ChosenTypeTest, SaysWhatIsWrong) {
  const auto refused = ChooseType(Of(SqlType::kInt), "Int8");
  EXPECT_THAT(refused.error().message, HasSubstr("column c (type text) cannot be Int8"));
  EXPECT_THAT(refused.error().remedy, HasSubstr("docs/type-mapping.md"));
}

// What one value becomes.
struct Written {
  Written(const Column& column, const std::string& type, const Value& value, bool in_key = false) {
    const TypeOptions options{.target_type = type};
    auto made = MakeColumnWriter(column, options, in_key);
    EXPECT_TRUE(made) << made.error().ToString();
    data.nullable = MapColumn(column, options, in_key)->nullable;
    ok = (*made)->Append(value, data).has_value();
    changes = (*made)->changes();
  }
  clickhouse::ColumnData data;
  bool ok = false;
  model::ChangeCounts changes;
};

std::string Bytes(const Column& column, const std::string& type, const Value& value) {
  const Written written(column, type, value);
  EXPECT_TRUE(written.ok) << type;
  EXPECT_EQ(written.changes.total(), 0U) << type;
  return std::string(written.data.values.view());
}

// A String without its length, which is below 128 here.
std::string Printed(const Column& column, const Value& value) {
  const std::string bytes = Bytes(column, "String", value);
  EXPECT_EQ(bytes.size(), static_cast<size_t>(bytes[0]) + 1);
  return bytes.substr(1);
}

TEST(ChosenTypeTest, PrintsAsTheSourceDoes) {
  EXPECT_EQ(Printed(Of(SqlType::kBigInt), Value::Int(INT64_MIN)), "-9223372036854775808");
  EXPECT_EQ(Printed(Unsigned(SqlType::kBigInt), Value::Uint(UINT64_MAX)), "18446744073709551615");
  EXPECT_EQ(Printed(Of(SqlType::kYear), Value::Uint(0)), "0000");
  EXPECT_EQ(Printed(Of(SqlType::kBit), Value::Uint(5)), "5");
  EXPECT_EQ(Printed(WithScale(SqlType::kDecimal, 2, 10), Value::Decimal(-5)), "-0.05");
  EXPECT_EQ(
      Printed(WithScale(SqlType::kDecimal, 0, 18), Value::Decimal(-INT64_C(999999999999999999))),
      "-999999999999999999");
  EXPECT_EQ(
      Printed(WithScale(SqlType::kDecimal, 1, 65), Value::DecimalText("12345678901234567890.1")),
      "12345678901234567890.1");
  const Value zero = Value::Civil({});
  EXPECT_EQ(Printed(Of(SqlType::kDate), zero), "0000-00-00");
  EXPECT_EQ(Printed(WithScale(SqlType::kDateTime, 3), zero), "0000-00-00 00:00:00.000");
  EXPECT_EQ(Printed(WithScale(SqlType::kTimestamp, 6), Value::Instant(-1)),
            "1969-12-31 23:59:59.999999");
  EXPECT_EQ(Printed(WithScale(SqlType::kTime, 1), Value::Time(-100'000)), "-00:00:00.1");
  EXPECT_EQ(Printed(Of(SqlType::kTime), Value::Time(3'020'399'000'000)), "838:59:59");
}

TEST(ChosenTypeTest, Widens) {
  EXPECT_EQ(Bytes(Of(SqlType::kTinyInt), "Int32", Value::Int(-2)), "\xfe\xff\xff\xff");
  EXPECT_EQ(Bytes(Unsigned(SqlType::kTinyInt), "Int16", Value::Uint(255)), "\xff\x00"s);
  EXPECT_EQ(Bytes(Of(SqlType::kFloat), "Float64", Value::Float(1.5F)), "\0\0\0\0\0\0\xf8\x3f"s);
  // -12.30 as -12.3000
  EXPECT_EQ(Bytes(WithScale(SqlType::kDecimal, 2, 4), "Decimal(9, 4)", Value::Decimal(-1230)),
            "\x88\x1f\xfe\xff");
  EXPECT_EQ(Bytes(WithScale(SqlType::kDecimal, 0, 20), "Decimal(38, 1)", Value::DecimalText("7")),
            "\x46\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"s);
  EXPECT_EQ(Bytes(Enum({"a", "b"}), "Enum8", Value::Uint(2)), "\x02");
  EXPECT_EQ(Bytes(Enum({"a", "b"}), "Enum16", Value::Uint(0)), "\0\0"s);
  EXPECT_EQ(Bytes(Of(SqlType::kGeometry), "WKB", Value::Bytes("bytes")),
            "\x05"
            "bytes");
  EXPECT_EQ(Bytes(Binary(3), "FixedString(3)", Value::Bytes("abc")), "abc");
}

TEST(ChosenTypeTest, RangesFollowTheRules) {
  struct Case {
    Column column;
    std::string type;
    Value value;
    std::string bytes;
    Change change;
  };
  const Column day = Of(SqlType::kDate);
  const Column second = WithScale(SqlType::kTimestamp, 0);
  const std::vector<Case> cases = {
      {day, "Date", Value::Civil({.year = 1969, .month = 12, .day = 31}), "\0\0"s,
       Change::kClamped},
      {day, "Date", Value::Civil({.year = 2149, .month = 6, .day = 7}), "\xff\xff",
       Change::kClamped},
      {day, "Date", Value::Civil({}), "\0\0"s, Change::kReplaced},
      {second, "DateTime", Value::Instant(-1'000'000), "\0\0\0\0"s, Change::kClamped},
      {second, "DateTime", Value::Instant(4'294'967'296'000'000), "\xff\xff\xff\xff",
       Change::kClamped},
      {Of(SqlType::kTinyInt), "Bool", Value::Int(-1), "\x01", Change::kClamped},
      {Of(SqlType::kJson), "JSON", Value::Bytes("[1]"), "\x02{}", Change::kReplaced},
  };
  for (const Case& one : cases) {
    const Written written(one.column, one.type, one.value);
    EXPECT_TRUE(written.ok) << one.type;
    EXPECT_EQ(written.data.values.view(), one.bytes) << one.type;
    EXPECT_EQ(written.changes[one.change], 1U) << one.type;
    EXPECT_EQ(written.changes.total(), 1U) << one.type;
    if (one.type == "JSON") continue;
    EXPECT_FALSE(Written(one.column, one.type, one.value, /*in_key=*/true).ok) << one.type;
  }
  const Written null(Text("utf8mb4"), "JSON", Value::Bytes("not an object"));
  EXPECT_EQ(null.changes[Change::kNulled], 1U);
  EXPECT_EQ(null.data.nulls.view(), "\x01");
}

}  // namespace
}  // namespace penstock::typemap
