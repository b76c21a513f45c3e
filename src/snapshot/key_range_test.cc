#include "snapshot/key_range.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::snapshot {
namespace {

using model::Column;
using model::SqlType;
using model::Table;
using testing::ElementsAre;
using testing::IsEmpty;

Table TableWithKey(std::vector<SqlType> key_types) {
  Table table{.name = {"shop", "t"}, .engine = "InnoDB", .columns = {}, .key = {}};
  for (const SqlType type : key_types) {
    Column column;
    column.name = std::string(1, static_cast<char>('a' + table.columns.size()));
    column.type = type;
    table.key.push_back(table.columns.size());
    table.columns.push_back(column);
  }
  return table;
}

TEST(KeyRangeTest, PrefixThatOrdersAsItCompares) {
  EXPECT_THAT(RangeColumns(TableWithKey({SqlType::kInt, SqlType::kEnum, SqlType::kInt})),
              ElementsAre(0));
  EXPECT_THAT(RangeColumns(TableWithKey({SqlType::kDouble, SqlType::kInt})), IsEmpty());
  EXPECT_THAT(RangeColumns(TableWithKey({SqlType::kDate, SqlType::kVarChar})), ElementsAre(0, 1));
}

TEST(KeyRangeTest, UuidsAreComparedWithTheirBytes) {
  Table table = TableWithKey({SqlType::kUuid, SqlType::kInet4, SqlType::kInet6});
  EXPECT_THAT(RangeColumns(table), ElementsAre(0, 1, 2));
  EXPECT_EQ(BoundaryExpression(table.columns[0]), "HEX(CAST(`a` AS BINARY(16)))");
  EXPECT_EQ(BoundaryExpression(table.columns[1]), "HEX(CAST(`b` AS BINARY(4)))");
  EXPECT_EQ(FormatBoundary(table.columns[2], "FE80"), "X'FE80'");
  EXPECT_THAT(RangeColumns(TableWithKey({SqlType::kGeometry})), IsEmpty());
}

TEST(KeyRangeTest, SingleColumn) {
  const Table table = TableWithKey({SqlType::kBigInt});
  EXPECT_EQ(RangeCondition(table, {0}, {}, {}), "");
  EXPECT_EQ(RangeCondition(table, {0}, Boundary{"-5"}, Boundary{"7"}), "(`a` > -5) AND (`a` <= 7)");
  EXPECT_EQ(RangeCondition(table, {0}, {}, Boundary{"7"}), "(`a` <= 7)");
}

TEST(KeyRangeTest, CompositeIsTheOrForm) {
  const Table table = TableWithKey({SqlType::kInt, SqlType::kInt, SqlType::kInt});
  EXPECT_EQ(RangeCondition(table, {0, 1, 2}, Boundary{"1", "2", "3"}, {}),
            "(`a` > 1 OR (`a` = 1 AND (`b` > 2 OR (`b` = 2 AND (`c` > 3)))))");
  EXPECT_EQ(RangeCondition(table, {0, 1}, {}, Boundary{"1", "2"}),
            "(`a` < 1 OR (`a` = 1 AND (`b` <= 2)))");
}

TEST(KeyRangeTest, LiteralsKeepBytesAndCollation) {
  Column text;
  text.name = "na`me";
  text.type = SqlType::kVarChar;
  text.charset = "latin1";
  text.collation = "latin1_swedish_ci";
  EXPECT_EQ(BoundaryExpression(text), "HEX(`na``me`)");
  EXPECT_EQ(FormatBoundary(text, "E927"), "_latin1 X'E927' COLLATE latin1_swedish_ci");
  Column date;
  date.name = "d";
  date.type = SqlType::kDate;
  EXPECT_EQ(FormatBoundary(date, "0000-00-00"), "'0000-00-00'");
}

}  // namespace
}  // namespace penstock::snapshot
