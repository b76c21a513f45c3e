#include "mysql/wire/table_read.h"

#include <gtest/gtest.h>

namespace penstock::mysql {
namespace {

using model::Column;
using model::SqlType;
using model::Value;

Column Of(SqlType type, uint32_t scale = 0, const std::string& charset = "") {
  Column column;
  column.name = "k";
  column.type = type;
  column.scale = scale;
  column.charset = charset;
  if (!charset.empty()) column.collation = charset + "_bin";
  return column;
}

std::string ConditionOf(const Column& column, const Value& value) {
  model::Table table;
  table.columns = {column};
  table.key = {0};
  const std::string condition = KeyCondition(table, std::vector<Value>{value});
  EXPECT_EQ(condition.substr(0, 6), "`k` = ");
  return condition.substr(6);
}

TEST(KeyConditionTest, NumbersAreExact) {
  EXPECT_EQ(ConditionOf(Of(SqlType::kBigInt), Value::Int(INT64_MIN)), "-9223372036854775808");
  EXPECT_EQ(ConditionOf(Of(SqlType::kBit), Value::Uint(UINT64_MAX)), "18446744073709551615");
  EXPECT_EQ(ConditionOf(Of(SqlType::kFloat), Value::Float(0.1F)), "0.10000000149011612");
  EXPECT_EQ(ConditionOf(Of(SqlType::kDouble), Value::Double(1e-300)), "1e-300");
  const Column decimal = Of(SqlType::kDecimal, 3);
  EXPECT_EQ(ConditionOf(decimal, Value::Decimal(-5)), "-0.005");
  EXPECT_EQ(ConditionOf(decimal, Value::Decimal(123456)), "123.456");
  EXPECT_EQ(ConditionOf(Of(SqlType::kDecimal), Value::Decimal(0)), "0");
  EXPECT_EQ(ConditionOf(decimal, Value::DecimalText("-0.005")), "-0.005");
}

TEST(KeyConditionTest, Times) {
  EXPECT_EQ(ConditionOf(Of(SqlType::kDate), Value::Civil({.year = 2024, .month = 2})),
            "'2024-02-00'");
  EXPECT_EQ(ConditionOf(Of(SqlType::kDateTime),
                        Value::Civil({.year = 1, .month = 2, .day = 3, .microsecond = 4})),
            "'0001-02-03 00:00:00.000004'");
  const Column timestamp = Of(SqlType::kTimestamp);
  EXPECT_EQ(ConditionOf(timestamp, Value::Instant(1'711'843'200'123'000)),
            "'2024-03-31 00:00:00.123000'");
  EXPECT_EQ(ConditionOf(timestamp, Value::Civil({})), "'0000-00-00 00:00:00.000000'");
  const Column time = Of(SqlType::kTime);
  EXPECT_EQ(ConditionOf(time, Value::Time(-500'000)), "'-0:00:00.500000'");
  EXPECT_EQ(ConditionOf(time, Value::Time(3'020'399'000'001)), "'838:59:59.000001'");
}

TEST(KeyConditionTest, TextIsInItsOwnCharacterSet) {
  const Column sjis = Of(SqlType::kVarChar, 0, "sjis");
  EXPECT_EQ(ConditionOf(sjis, Value::Bytes("\x83\x5C'")), "_sjis X'835C27' COLLATE sjis_bin");
  EXPECT_EQ(ConditionOf(Of(SqlType::kVarBinary), Value::Bytes("")), "X''");
}

TEST(KeyConditionTest, EnumsAreComparedByTheirLabels) {
  Column column = Of(SqlType::kEnum, 0, "latin1");
  column.labels = {"a", "\xC3\xA9"};
  EXPECT_EQ(ConditionOf(column, Value::Uint(2)), "_utf8mb4 X'C3A9'");
  EXPECT_EQ(ConditionOf(column, Value::Uint(0)), "0");
}

TEST(KeyConditionTest, ColumnsOfTheKeyOnlyInItsOrder) {
  model::Table table;
  table.key = {2, 0};
  for (const char* name : {"a", "b", "c`"}) {
    table.columns.push_back(Of(SqlType::kInt));
    table.columns.back().name = name;
  }
  EXPECT_EQ(KeyCondition(table, std::vector{Value::Absent(), Value::Int(2), Value::Int(3)}),
            "`c``` = 3 AND `a` = DEFAULT(`a`)");
}

TEST(QueryCommentTest, AnyNameIsSafe) {
  EXPECT_EQ(QueryComment("a*/ DROP \n/*b\\"), "/* penstock a DROP b */ ");
}

}  // namespace
}  // namespace penstock::mysql
