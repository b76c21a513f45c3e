#include "typemap/column_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace penstock::typemap {
namespace {

using model::Column;
using model::SqlType;
using ::testing::HasSubstr;

struct Mapped {
  Column column;
  std::string type;
};

Column Of(SqlType type, bool is_unsigned = false, uint32_t precision = 0, uint32_t scale = 0) {
  Column column;
  column.name = "c";
  column.type = type;
  column.type_text = "type text";
  column.nullable = false;
  column.is_unsigned = is_unsigned;
  column.precision = precision;
  column.scale = scale;
  return column;
}

TEST(MapColumnTest, FollowsTheTableOfTypes) {
  const Mapped table[] = {
      {Of(SqlType::kTinyInt), "Int8"},
      {Of(SqlType::kTinyInt, true), "UInt8"},
      {Of(SqlType::kSmallInt), "Int16"},
      {Of(SqlType::kSmallInt, true), "UInt16"},
      {Of(SqlType::kMediumInt), "Int32"},
      {Of(SqlType::kMediumInt, true), "UInt32"},
      {Of(SqlType::kInt), "Int32"},
      {Of(SqlType::kInt, true), "UInt32"},
      {Of(SqlType::kBigInt), "Int64"},
      {Of(SqlType::kBigInt, true), "UInt64"},
      {Of(SqlType::kDecimal, false, 65, 30), "Decimal(65, 30)"},
      {Of(SqlType::kFloat), "Float32"},
      {Of(SqlType::kDouble), "Float64"},
      {Of(SqlType::kBit, false, 64), "UInt64"},
      {Of(SqlType::kChar), "String"},
      {Of(SqlType::kVarChar), "String"},
      {Of(SqlType::kText), "String"},
      {Of(SqlType::kBinary), "String"},
      {Of(SqlType::kVarBinary), "String"},
      {Of(SqlType::kBlob), "String"},
      {Of(SqlType::kDate), "Date32"},
      {Of(SqlType::kDateTime, false, 0, 0), "DateTime64(0, 'UTC')"},
      {Of(SqlType::kTimestamp, false, 0, 6), "DateTime64(6, 'UTC')"},
      {Of(SqlType::kTime, false, 0, 3), "Time64(3)"},
      {Of(SqlType::kYear), "UInt16"},
      {Of(SqlType::kSet), "String"},
      {Of(SqlType::kJson), "String"},
      {Of(SqlType::kUuid), "UUID"},
      {Of(SqlType::kInet4), "IPv4"},
      {Of(SqlType::kInet6), "IPv6"},
  };
  for (const auto& [column, type] : table) {
    const auto mapping = MapColumn(column, {}, true);
    ASSERT_TRUE(mapping.has_value()) << type;
    EXPECT_EQ(mapping->native_type, type);
    EXPECT_EQ(mapping->declared_type, type);
    EXPECT_FALSE(mapping->nullable);

    Column nullable = column;
    nullable.nullable = true;
    EXPECT_EQ(MapColumn(nullable, {}, false)->declared_type, "Nullable(" + type + ")");
    EXPECT_EQ(MapColumn(nullable, {.allow_nullable_columns = false}, false)->declared_type, type);
  }
}

TEST(MapColumnTest, GeometryAndVectorAreNoKeys) {
  for (const SqlType type : {SqlType::kGeometry, SqlType::kVector}) {
    const auto refused = MapColumn(Of(type), {}, true);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(refused.error().message, HasSubstr("cannot be part of the sorting key"));
  }
  EXPECT_EQ(MapColumn(Of(SqlType::kGeometry), {}, false)->declared_type, "String");
}

TEST(MapColumnTest, AnArrayIsNeverNullable) {
  Column column = Of(SqlType::kVector);
  column.nullable = true;
  EXPECT_EQ(MapColumn(column, {}, false)->declared_type, "Array(Float32)");
  EXPECT_FALSE(MapColumn(column, {}, false)->nullable);
}

TEST(MapColumnTest, EnumIsLowCardinalitySentAsString) {
  Column column = Of(SqlType::kEnum);
  EXPECT_EQ(MapColumn(column, {}, true)->declared_type, "LowCardinality(String)");
  EXPECT_EQ(MapColumn(column, {}, true)->native_type, "String");
  column.nullable = true;
  EXPECT_EQ(MapColumn(column, {}, false)->declared_type, "LowCardinality(Nullable(String))");
  EXPECT_EQ(MapColumn(column, {}, false)->native_type, "String");
}

TEST(MapColumnTest, KeyColumnsCannotBeNull) {
  Column column = Of(SqlType::kInt);
  column.nullable = true;
  for (const bool allow : {true, false}) {
    const auto mapping = MapColumn(column, {.allow_nullable_columns = allow}, true);
    ASSERT_FALSE(mapping.has_value());
    EXPECT_EQ(mapping.error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(mapping.error().remedy.empty());
  }
}

TEST(MapColumnTest, TextOfAnUnknownCharacterSetIsRefused) {
  Column column = Of(SqlType::kVarChar);
  for (const char* charset : {"", "utf8", "utf8mb3", "utf8mb4", "ascii", "binary", "latin1", "sjis",
                              "gb18030", "utf16le", "utf32"}) {
    column.charset = charset;
    EXPECT_EQ(MapColumn(column, {}, false)->declared_type, "String") << charset;
  }
  column.charset = "utf9";
  for (const SqlType type : {SqlType::kChar, SqlType::kVarChar, SqlType::kText}) {
    column.type = type;
    const auto mapping = MapColumn(column, {}, false);
    ASSERT_FALSE(mapping.has_value());
    EXPECT_EQ(mapping.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(mapping.error().message,
              "column c has character set utf9, which this version does not know");
  }
  column.type = SqlType::kEnum;
  EXPECT_TRUE(MapColumn(column, {}, false).has_value());
}

TEST(MapColumnTest, RefusesTheUnsupportedByName) {
  Column column = Of(SqlType::kUnsupported);
  column.type_text = "geometry";
  const auto mapping = MapColumn(column, {}, false);
  ASSERT_FALSE(mapping.has_value());
  EXPECT_EQ(mapping.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(mapping.error().message, HasSubstr("geometry"));
  EXPECT_FALSE(MakeColumnWriter(column, {}, false).has_value());
}

TEST(MapColumnTest, RefusesImpossibleParameters) {
  for (const Column& column :
       {Of(SqlType::kDecimal, false, 0, 0), Of(SqlType::kDecimal, false, 66, 0),
        Of(SqlType::kDecimal, false, 2, 3), Of(SqlType::kDateTime, false, 0, 7),
        Of(SqlType::kTime, false, 0, 7)}) {
    EXPECT_FALSE(MapColumn(column, {}, false).has_value());
  }
}

}  // namespace
}  // namespace penstock::typemap
