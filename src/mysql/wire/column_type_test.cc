#include "mysql/wire/column_type.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::mysql {
namespace {

using model::Column;
using model::SqlType;
using testing::ElementsAre;

Column Parsed(std::string_view text) {
  Column column;
  ParseColumnType(text, column);
  EXPECT_EQ(column.type_text, text);
  return column;
}

TEST(ColumnTypeTest, Integers) {
  EXPECT_EQ(Parsed("tinyint(1)").type, SqlType::kTinyInt);
  EXPECT_EQ(Parsed("bigint").type, SqlType::kBigInt);
  EXPECT_FALSE(Parsed("bigint").is_unsigned);
  EXPECT_TRUE(Parsed("bigint(20) unsigned").is_unsigned);
  EXPECT_TRUE(Parsed("int(8) unsigned zerofill").is_unsigned);
  EXPECT_EQ(Parsed("year(4)").type, SqlType::kYear);
}

TEST(ColumnTypeTest, NumbersInBrackets) {
  const Column decimal = Parsed("decimal(65,30)");
  EXPECT_EQ(decimal.precision, 65U);
  EXPECT_EQ(decimal.scale, 30U);
  EXPECT_EQ(Parsed("double(10,2) unsigned").type, SqlType::kDouble);
  EXPECT_EQ(Parsed("bit(9)").precision, 9U);
  EXPECT_EQ(Parsed("datetime(3)").scale, 3U);
  EXPECT_EQ(Parsed("timestamp").scale, 0U);
  EXPECT_EQ(Parsed("varchar(255)").length, 255U);
  EXPECT_EQ(Parsed("binary(16)").length, 16U);
}

// As MySQL 9.7 and MariaDB 10.11 print
// ENUM('a', 'it''s', 'x,y', 'back\\slash', 'new\nline', 'ü', ')')
TEST(ColumnTypeTest, LabelsWithEverythingInThem) {
  const Column column = Parsed(R"(enum('a','it''s','x,y','back\\slash','new\nline','ü',')'))");
  EXPECT_EQ(column.type, SqlType::kEnum);
  EXPECT_THAT(column.labels, ElementsAre("a", "it's", "x,y", "back\\slash", "new\nline", "ü", ")"));
  EXPECT_THAT(Parsed("set('','b')").labels, ElementsAre("", "b"));
}

TEST(ColumnTypeTest, Geometries) {
  for (const std::string_view text :
       {"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring",
        "multipolygon", "geometrycollection", "geomcollection"}) {
    EXPECT_EQ(Parsed(text).type, SqlType::kGeometry) << text;
  }
}

TEST(ColumnTypeTest, VectorsAndAddresses) {
  EXPECT_EQ(Parsed("vector(2048)").type, SqlType::kVector);
  EXPECT_EQ(Parsed("vector(2048)").length, 2048U);
  EXPECT_EQ(Parsed("uuid").type, SqlType::kUuid);
  EXPECT_EQ(Parsed("inet4").type, SqlType::kInet4);
  EXPECT_EQ(Parsed("inet6").type, SqlType::kInet6);
}

TEST(ColumnTypeTest, YearOfTwoDigits) {
  EXPECT_EQ(Parsed("year(2)").precision, 2U);
  EXPECT_EQ(Parsed("year(4)").precision, 0U);
  EXPECT_EQ(Parsed("year").precision, 0U);
}

TEST(ColumnTypeTest, WhatServersAddInComments) {
  const Column compressed = Parsed("varchar(10) /*M!100301 COMPRESSED*/");
  EXPECT_EQ(compressed.type, SqlType::kVarChar);
  EXPECT_EQ(compressed.length, 10U);
  EXPECT_TRUE(compressed.compressed);
  EXPECT_TRUE(Parsed("longblob /*!100301 COMPRESSED*/").compressed);
  EXPECT_FALSE(Parsed("longblob").compressed);
  const Column old = Parsed("datetime(3) /* mariadb-5.3 */");
  EXPECT_EQ(old.type, SqlType::kDateTime);
  EXPECT_EQ(old.scale, 3U);
  EXPECT_EQ(Parsed("time /* 5.5 binary format */").type, SqlType::kTime);
}

TEST(ColumnTypeTest, WhatIsNotKnownWhollyIsUnsupported) {
  for (const std::string_view text :
       {"xmltype", "int /* mariadb-5.3 */", "int /*M!100301 COMPRESSED*/", "text /* new */",
        "text /*M!100301 COMPRESSED", "varchar(10) COMPRESSED", "", "int(", "int(x)",
        "decimal(1,2,3)", "enum('a'", "enum('a')x", "enum(a)", "int signed", "enum('a\\"}) {
    const Column column = Parsed(text);
    EXPECT_EQ(column.type, SqlType::kUnsupported) << text;
    EXPECT_TRUE(column.labels.empty()) << text;
  }
}

}  // namespace
}  // namespace penstock::mysql
