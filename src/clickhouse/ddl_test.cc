#include "clickhouse/ddl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "clickhouse/quote.h"

namespace penstock::clickhouse {
namespace {

using namespace std::string_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(QuoteTest, EscapesWhatWouldEndOrChangeIt) {
  EXPECT_EQ(QuoteIdentifier("order.items"), "`order.items`");
  EXPECT_EQ(QuoteIdentifier("a`b\\c'd"), "`a\\`b\\\\c'd`");
  EXPECT_EQ(QuoteIdentifier("größe 😀"), "`größe 😀`");
  EXPECT_EQ(QuoteString("it's `x` \\"), "'it\\'s `x` \\\\'");
  EXPECT_EQ(QuoteString("a\0b\nc\rd"s), "'a\\0b\\nc\\rd'");
  EXPECT_EQ(QuoteTable("a.b", "c"), "`a.b`.`c`");
}

TEST(CreateTableTest, WritesColumnsMetaColumnsEngineAndKey) {
  const std::string sql = CreateTable(
      {.database = "analytics",
       .table = "orders",
       .columns = {{.name = "id", .type = "Int64"}, {.name = "note", .type = "Nullable(String)"}},
       .order_by = {"region", "id"}});
  EXPECT_EQ(sql,
            "CREATE TABLE IF NOT EXISTS `analytics`.`orders`\n"
            "(\n"
            "    `id` Int64,\n"
            "    `note` Nullable(String),\n"
            "    `_penstock_version` UInt64 COMMENT 'orders the states of one key: the highest is "
            "the latest',\n"
            "    `_penstock_is_deleted` UInt8 COMMENT '1: the row was deleted at the source',\n"
            "    `_penstock_synced_at` DateTime64(9) DEFAULT now64(9) COMMENT 'when ClickHouse "
            "received the row'\n"
            ")\n"
            "ENGINE = ReplacingMergeTree(`_penstock_version`, `_penstock_is_deleted`)\n"
            "ORDER BY (`region`, `id`)");
}

TEST(CreateTableTest, OnAClusterTablesAreReplicated) {
  TableSpec spec{.database = "d",
                 .table = "t",
                 .columns = {{.name = "k", .type = "Nullable(Int8)"}},
                 .order_by = {"k"},
                 .partition_by = "k % 10",
                 .settings = "index_granularity = 1024",
                 .cluster = "a`b"};
  const std::string sql = CreateTable(spec);
  EXPECT_THAT(sql, HasSubstr("IF NOT EXISTS `d`.`t` ON CLUSTER `a\\`b`\n("));
  EXPECT_THAT(sql, EndsWith("ENGINE = ReplicatedReplacingMergeTree(`_penstock_version`, "
                            "`_penstock_is_deleted`)\nPARTITION BY k % 10\nORDER BY (`k`)\n"
                            "SETTINGS allow_nullable_key = 1, index_granularity = 1024"));
  spec.engine = Engine::kMergeTree;
  EXPECT_THAT(CreateTable(spec), HasSubstr("ENGINE = ReplicatedMergeTree\n"));
  spec.engine = Engine::kNull;
  spec.partition_by.clear();
  EXPECT_THAT(CreateTable(spec), EndsWith("ENGINE = Null"));
  EXPECT_EQ(CreateDatabase("d", "c"), "CREATE DATABASE IF NOT EXISTS `d` ON CLUSTER `c`");
}

TEST(CreateTableTest, MergeTreeTellsKindsAndFindsVersions) {
  const std::string sql = CreateTable(
      {.database = "d", .table = "t", .columns = {}, .engine = Engine::kMergeTree, .order_by = {}});
  EXPECT_THAT(sql, HasSubstr("    `_penstock_kind` Enum8('insert' = 1, 'update' = 2, 'delete' = 3) "
                             "COMMENT"));
  EXPECT_THAT(sql, EndsWith("    , INDEX _penstock_version_range _penstock_version TYPE minmax "
                            "GRANULARITY 1\n)\nENGINE = MergeTree\nORDER BY tuple()"));
}

TEST(CreateTableTest, KeyThatMayBeNull) {
  const std::string sql = CreateTable({.database = "d",
                                       .table = "t",
                                       .columns = {{.name = "k", .type = "Nullable(Int32)"}},
                                       .engine = Engine::kReplacingMergeTree,
                                       .order_by = {"k"}});
  EXPECT_THAT(sql, EndsWith("ORDER BY (`k`)\nSETTINGS allow_nullable_key = 1"));
}

TEST(CreateTableTest, NullHasNoKey) {
  const std::string sql = CreateTable(
      {.database = "d", .table = "t", .columns = {}, .engine = Engine::kNull, .order_by = {"id"}});
  EXPECT_THAT(sql, EndsWith("ENGINE = Null"));
  EXPECT_THAT(sql, Not(HasSubstr("ORDER BY")));
}

TEST(CreateTableTest, TimesAreAllowedWhereTheyAreUsed) {
  const auto settings = [](std::string_view type) {
    return CreateTableSettings({.database = "d",
                                .table = "t",
                                .columns = {{.name = "c", .type = std::string(type)}},
                                .order_by = {}});
  };
  const Settings allowed = {{"enable_time_time64_type", "1"}};
  for (const auto type : {"Time", "Time64(3)", "Nullable(Time64(6))"}) {
    EXPECT_EQ(settings(type), allowed) << type;
  }
  for (const auto type : {"DateTime64(6, 'UTC')", "Nullable(DateTime)", "String"}) {
    EXPECT_EQ(settings(type), Settings()) << type;
  }
}

TEST(AlterTableAddTest, PlacesColumnsWithTheirDefaults) {
  const std::vector<NewColumn> columns = {
      {.column = {.name = "a`b", .type = "Int32", .default_expression = "7"}, .after = ""},
      {.column = {.name = "t", .type = "Nullable(Time64(0))"}, .after = "id"}};
  EXPECT_EQ(AlterTableAdd("d", "t", columns, "c"),
            "ALTER TABLE `d`.`t` ON CLUSTER `c` ADD COLUMN IF NOT EXISTS `a\\`b` Int32 DEFAULT 7 "
            "FIRST, ADD COLUMN IF NOT EXISTS `t` Nullable(Time64(0)) AFTER `id`");
  EXPECT_EQ(AlterTableAddSettings(columns), (Settings{{"enable_time_time64_type", "1"}}));
  EXPECT_TRUE(AlterTableAddSettings({columns[0]}).empty());
}

TEST(MetaColumnsTest, TellTheKindWhereEveryChangeIsKept) {
  for (const Engine engine : {Engine::kReplacingMergeTree, Engine::kMergeTree, Engine::kNull}) {
    for (const auto& column : MetaColumns(engine)) EXPECT_TRUE(IsMetaColumn(column.name));
    EXPECT_EQ(MetaColumns(engine).size(), engine == Engine::kReplacingMergeTree ? 3U : 4U);
  }
  EXPECT_FALSE(IsMetaColumn("version"));
}

TEST(CreateDatabaseTest, Quotes) {
  EXPECT_EQ(CreateDatabase("a`b", ""), "CREATE DATABASE IF NOT EXISTS `a\\`b`");
}

}  // namespace
}  // namespace penstock::clickhouse
