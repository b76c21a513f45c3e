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
    column.nullable = false;
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

TEST(KeyRangeTest, NullsAreInTheFirstPartition) {
  Table table = TableWithKey({SqlType::kInt});
  table.columns[0].nullable = true;
  EXPECT_EQ(RangeCondition(table, {0}, {}, Boundary{"7"}), "(`a` <= 7 OR `a` IS NULL)");
  EXPECT_EQ(RangeCondition(table, {0}, Boundary{"7"}, Boundary{"9"}), "(`a` > 7) AND (`a` <= 9)");
}

TEST(KeyRangeTest, ABoundaryOfTheFirstColumnsOnly) {
  const Table table = TableWithKey({SqlType::kInt, SqlType::kInt});
  EXPECT_EQ(RangeCondition(table, {0, 1}, Boundary{"1"}, Boundary{"2"}),
            "(`a` > 1) AND (`a` <= 2)");
}

}  // namespace
}  // namespace penstock::snapshot
