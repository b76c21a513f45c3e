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
  EXPECT_EQ(RangeCondition(table, {0}, Boundary{"-5"}, Boundary{"7"}), "`a` BETWEEN -4 AND 7");
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
  EXPECT_EQ(RangeCondition(table, {0}, Boundary{"7"}, Boundary{"9"}), "`a` BETWEEN 8 AND 9");
}

TEST(KeyRangeTest, ABoundaryOfTheFirstColumnsOnly) {
  const Table table = TableWithKey({SqlType::kInt, SqlType::kInt});
  EXPECT_EQ(RangeCondition(table, {0, 1}, Boundary{"1"}, Boundary{"2"}), "`a` BETWEEN 2 AND 2");
}

TEST(KeyRangeTest, IntegersWithoutASuccessorAreCompared) {
  Table table = TableWithKey({SqlType::kBigInt});
  const std::string most = "9223372036854775807";
  EXPECT_EQ(RangeCondition(table, {0}, Boundary{most}, Boundary{most}),
            "(`a` > 9223372036854775807) AND (`a` <= 9223372036854775807)");
  table.columns[0].is_unsigned = true;
  EXPECT_EQ(RangeCondition(table, {0}, Boundary{most}, Boundary{"18446744073709551615"}),
            "`a` BETWEEN 9223372036854775808 AND 18446744073709551615");
}

}  // namespace
}  // namespace penstock::snapshot
