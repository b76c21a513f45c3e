#include "typemap/added_column.h"

#include <gtest/gtest.h>

#include "typemap/column_for_test.h"

namespace penstock::typemap {
namespace {

using model::ColumnDefault;
using model::SqlType;
using Kind = ColumnDefault::Kind;

constexpr char kUnknown[] = "not known";

std::string Answer(const model::Column& column, const ColumnDefault& value,
                   const TypeOptions& options = {}) {
  const auto answer = OldRowsDefault(column, value, options);
  EXPECT_TRUE(answer || answer.error().code == ErrorCode::kConflict);
  return answer ? *answer : kUnknown;
}
std::string OfNumber(const model::Column& column, const std::string& text,
                     const TypeOptions& options = {}) {
  return Answer(column, {.kind = Kind::kNumber, .text = text}, options);
}
std::string OfText(const model::Column& column, const std::string& text) {
  return Answer(column, {.kind = Kind::kText, .text = text});
}

TEST(OldRowsDefaultTest, WithoutADefault) {
  for (int i = 0; i < static_cast<int>(SqlType::kUnsupported); ++i) {
    const auto type = static_cast<SqlType>(i);
    EXPECT_EQ(Answer(Of(type, true), {}), "") << model::SqlTypeName(type);
    EXPECT_EQ(Answer(Of(type, true), {.kind = Kind::kNull}), "") << model::SqlTypeName(type);
    EXPECT_EQ(Answer(Of(type), {.kind = Kind::kNull}), kUnknown) << model::SqlTypeName(type);
  }
  for (const auto type :
       {SqlType::kInt, SqlType::kDecimal, SqlType::kVarChar, SqlType::kText, SqlType::kDateTime,
        SqlType::kTime, SqlType::kYear, SqlType::kSet, SqlType::kUuid, SqlType::kBit}) {
    EXPECT_EQ(Answer(Of(type), {}), "") << model::SqlTypeName(type);
  }
  for (const auto type : {SqlType::kBinary, SqlType::kJson, SqlType::kGeometry, SqlType::kVector,
                          SqlType::kTimestamp, SqlType::kEnum}) {
    EXPECT_EQ(Answer(Of(type), {}), kUnknown) << model::SqlTypeName(type);
  }
}

TEST(OldRowsDefaultTest, Numbers) {
  EXPECT_EQ(OfNumber(Of(SqlType::kInt), "-007"), "-7");
  EXPECT_EQ(OfText(Of(SqlType::kBigInt), "18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(OfNumber(Of(SqlType::kInt), "1.5"), kUnknown);
  EXPECT_EQ(OfText(Of(SqlType::kInt), "7x"), kUnknown);
  model::Column boolean = Of(SqlType::kTinyInt);
  boolean.type_text = "tinyint(1)";
  EXPECT_EQ(OfNumber(boolean, "2"), "2");
  EXPECT_EQ(OfNumber(boolean, "2", {.tinyint1_is_bool = true}), "true");
  EXPECT_EQ(OfNumber(boolean, "0", {.tinyint1_is_bool = true}), "false");
  const model::Column price = WithScale(SqlType::kDecimal, 2, 10);
  EXPECT_EQ(OfNumber(price, "-1.5"), "CAST('-1.5', 'Decimal(10, 2)')");
  EXPECT_EQ(OfText(price, "7"), "CAST('7', 'Decimal(10, 2)')");
  for (const char* text : {"1.555", "1e2", ".5", "1.", "", "1.x"}) {
    EXPECT_EQ(OfText(price, text), kUnknown) << text;
  }
  EXPECT_EQ(OfNumber(Of(SqlType::kDouble), "0.1"),
            "reinterpretAsFloat64(unhex('9A9999999999B93F'))");
  EXPECT_EQ(OfNumber(Of(SqlType::kFloat), "1.1"), "reinterpretAsFloat32(unhex('CDCC8C3F'))");
  EXPECT_EQ(OfNumber(Of(SqlType::kYear), "1999"), "1999");
  EXPECT_EQ(OfNumber(Of(SqlType::kYear), "99"), kUnknown);
}

TEST(OldRowsDefaultTest, Text) {
  model::Column column = Of(SqlType::kVarChar);
  column.length = 5;
  column.charset = "latin1";
  EXPECT_EQ(OfText(column, "it's "), "'it\\'s '");
  EXPECT_EQ(OfText(column, "longer"), kUnknown);
  EXPECT_EQ(OfText(column, "ü"), kUnknown);
  column.charset = "utf8mb4";
  EXPECT_EQ(OfText(column, "größe"), "'größe'");
  EXPECT_EQ(OfNumber(column, "12"), "'12'");
  EXPECT_EQ(OfNumber(column, "1.0"), kUnknown);
  column.type = SqlType::kChar;
  EXPECT_EQ(OfText(column, "a  "), "'a'");
}

TEST(OldRowsDefaultTest, Labels) {
  model::Column column = Of(SqlType::kEnum);
  column.labels = {"it's", "b"};
  EXPECT_EQ(Answer(column, {}), "'it\\'s'");
  EXPECT_EQ(OfText(column, "b"), "'b'");
  EXPECT_EQ(OfText(column, "B"), kUnknown);
  EXPECT_EQ(OfText(column, ""), kUnknown);
  column.type = SqlType::kSet;
  column.labels = {"p", "q", "r"};
  EXPECT_EQ(OfText(column, "p,r"), "'p,r'");
  EXPECT_EQ(OfText(column, ""), "''");
  EXPECT_EQ(OfText(column, "r,p"), kUnknown);
  EXPECT_EQ(OfText(column, "p,p"), kUnknown);
}

TEST(OldRowsDefaultTest, Times) {
  EXPECT_EQ(OfText(Of(SqlType::kDate), "2024-02-29"), "CAST('2024-02-29', 'Date32')");
  EXPECT_EQ(OfText(Of(SqlType::kDate), "0000-00-00"), "CAST('1970-01-01', 'Date32')");
  for (const char* text : {"2023-02-29", "1899-12-31", "2300-01-01", "24-02-29", "2024-2-29",
                           "2024-02-29 00:00:00", "2024-00-00"}) {
    EXPECT_EQ(OfText(Of(SqlType::kDate), text), kUnknown) << text;
  }
  const model::Column at = WithScale(SqlType::kDateTime, 3);
  EXPECT_EQ(OfText(at, "2024-01-02 03:04:05.5"),
            "CAST('2024-01-02 03:04:05.5', 'DateTime64(3, \\'UTC\\')')");
  EXPECT_EQ(OfText(at, "2024-01-02"), "CAST('2024-01-02 00:00:00', 'DateTime64(3, \\'UTC\\')')");
  EXPECT_EQ(OfText(at, "2024-01-02 03:04:05.5555"), kUnknown);
  EXPECT_EQ(OfText(Of(SqlType::kTimestamp, true), "2024-01-02 03:04:05"), kUnknown);
  EXPECT_EQ(OfText(Of(SqlType::kTime), "-838:59:59"), "CAST('-838:59:59', 'Time64(0)')");
  EXPECT_EQ(OfText(Of(SqlType::kTime), "1:00"), kUnknown);
}

TEST(OldRowsDefaultTest, AChosenTypeIsNotKnown) {
  EXPECT_EQ(OfNumber(Of(SqlType::kInt), "1", {.target_type = "String"}), kUnknown);
}

}  // namespace
}  // namespace penstock::typemap
