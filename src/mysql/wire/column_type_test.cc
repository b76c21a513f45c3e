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

TEST(ColumnTypeTest, OldTemporals) {
  EXPECT_EQ(Parsed("datetime /* mariadb-5.3 */").type, SqlType::kDateTime);
  EXPECT_EQ(Parsed("timestamp /* 5.5 binary format */").type, SqlType::kTimestamp);
}

TEST(ColumnTypeTest, WhatIsNotKnownWhollyIsUnsupported) {
  for (const std::string_view text :
       {"geometry", "point", "vector(3)", "uuid", "inet6", "varchar(10) /*M!100301 COMPRESSED*/",
        "datetime(2) /* mariadb-5.3 */", "datetime /* new */", "", "int(", "int(x)",
        "decimal(1,2,3)", "enum('a'", "enum('a')x", "enum(a)", "int signed", "enum('a\\"}) {
    const Column column = Parsed(text);
    EXPECT_EQ(column.type, SqlType::kUnsupported) << text;
    EXPECT_TRUE(column.labels.empty()) << text;
  }
}

}  // namespace
}  // namespace penstock::mysql
