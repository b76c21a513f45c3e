#include "mysql/binlog/column_details.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "mysql/binlog/collation.h"

namespace penstock::binlog {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(CharsetOfCollationTest, NumbersOfBothServers) {
  EXPECT_EQ(CharsetOfCollation(8), "latin1");
  EXPECT_EQ(CharsetOfCollation(63), "binary");
  EXPECT_EQ(CharsetOfCollation(99), "cp1250");
  EXPECT_EQ(CharsetOfCollation(223), "utf8mb3");
  EXPECT_EQ(CharsetOfCollation(224), "utf8mb4");
  EXPECT_EQ(CharsetOfCollation(255), "utf8mb4");
  EXPECT_EQ(CharsetOfCollation(1074), "cp1251");
  EXPECT_EQ(CharsetOfCollation(2304), "utf8mb4");
  for (const auto number :
       std::initializer_list<uint64_t>{0, 17, 100, 324, 1041, 3328, 1073741824}) {
    EXPECT_EQ(CharsetOfCollation(number), "") << number;
  }
}

// VARCHAR, INT, ENUM, TEXT, SET.
class ColumnDetailsTest : public testing::Test {
 protected:
  std::vector<ColumnDetails> Read(std::string_view optional, char first = '\x0f') {
    types_[0] = first;
    return ReadColumnDetails({.table_id = 1,
                              .schema = {},
                              .table = {},
                              .types = types_,
                              .metadata = metadata_,
                              .nullable = {},
                              .is_unsigned = {},
                              .names = {},
                              .optional = optional});
  }
  std::string types_ = "\x0f\x03\xfe\xfc\xfe";
  const std::array<uint16_t, 5> metadata_ = {40, 0, 0x01f7, 2, 0x01f8};
};

TEST_F(ColumnDetailsTest, CharsetsAndLabels) {
  const auto details =
      Read(std::string_view("\2\3\x08\1\x2d"          // text: latin1, the second utf8mb4
                            "\x0b\2\x0e\x3f"          // labels: cp1251, binary
                            "\6\6\2\1a\2bc\5\3\1\1x"  // of the ENUM, of the SET
                            ,
                            22));
  EXPECT_EQ(details[0].charset, "latin1");
  EXPECT_EQ(details[1].charset, "");
  EXPECT_EQ(details[2].charset, "cp1251");
  EXPECT_EQ(details[3].charset, "utf8mb4");
  EXPECT_EQ(details[4].charset, "binary");
  EXPECT_THAT(details[2].labels, ElementsAre("a", "bc"));
  EXPECT_THAT(details[4].labels, ElementsAre("x"));
}

TEST_F(ColumnDetailsTest, ACharsetForEach) {
  const auto details = Read("\3\2\x08\x21");
  EXPECT_EQ(details[0].charset, "latin1");
  EXPECT_EQ(details[3].charset, "utf8mb3");
  EXPECT_EQ(Read("\3\2\x08\x21", '\x8d')[3].charset, "") << "beside a compressed column";
}

TEST_F(ColumnDetailsTest, WhatIsCutShortIsNotTold) {
  for (const std::string_view optional : {"\3\2\x08", "\6\4\2\1a\5", "\3\1\x08", "\2", ""}) {
    EXPECT_EQ(Read(optional)[3].charset, "");
    EXPECT_THAT(Read(optional)[4].labels, IsEmpty());
  }
}

}  // namespace
}  // namespace penstock::binlog
