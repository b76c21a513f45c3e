#include "stream/added_columns.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ddl/statement.h"
#include "stream/assembler_for_test.h"

namespace penstock::stream {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const mysql::ServerInfo kMysql{.flavour = mysql::Flavour::kMysql, .version = {}, .number = 90704};
const mysql::ServerInfo kMysql57{.flavour = mysql::Flavour::kMysql, .version = {}, .number = 50744};
const mysql::ServerInfo kMariadb{
    .flavour = mysql::Flavour::kMariadb, .version = {}, .number = 101106};

model::Table Before() {
  model::Table table;
  table.name = {"shop", "a"};
  table.collation = "latin1_swedish_ci";
  for (const char* name : {"id", "v"}) {
    model::Column column;
    column.name = name;
    column.type = model::SqlType::kInt;
    column.nullable = false;
    table.columns.push_back(column);
  }
  table.key = {0};
  table.key_is_primary = true;
  return table;
}

Result<Addition> Plan(std::string_view actions, const mysql::ServerInfo& source = kMysql,
                      const typemap::TargetOptions& options = {}) {
  const auto statement = ddl::Classify(fmt::format("ALTER TABLE a {}", actions), "shop", {});
  return PlanAddition(Before(), options, statement.added, source);
}

// Types as the source prints them.
std::string TypeOf(const std::string& definition, const mysql::ServerInfo& source) {
  const auto addition = Plan("ADD x " + definition, source);
  if (!addition) return addition.error().message;
  const model::Column& column = addition->definition.columns[2];
  return column.type_text + (column.charset.empty() ? "" : " " + column.charset) +
         (column.collation.empty() ? "" : " " + column.collation);
}

TEST(PlanAdditionTest, PlacesAndKeys) {
  const auto addition = Plan("ADD x INT DEFAULT 7 FIRST, ADD y INT AFTER ID, ADD (z INT, w INT)");
  ASSERT_TRUE(addition) << addition.error().ToString();
  std::vector<std::string> names;
  for (const auto& column : addition->definition.columns) names.push_back(column.name);
  EXPECT_THAT(names, ElementsAre("x", "id", "y", "v", "z", "w"));
  EXPECT_THAT(addition->definition.key, ElementsAre(1));
  std::vector<std::string> added;
  for (const auto& [column, after] : addition->columns) {
    added.push_back(fmt::format("{} {} '{}' after '{}'", column.name, column.type,
                                column.default_expression, after));
  }
  EXPECT_THAT(added,
              ElementsAre("x Nullable(Int32) '7' after ''", "y Nullable(Int32) '' after 'id'",
                          "z Nullable(Int32) '' after 'v'", "w Nullable(Int32) '' after 'z'"));
}

TEST(PlanAdditionTest, TypesAsTheServerPrintsThem) {
  EXPECT_EQ(TypeOf("INTEGER UNSIGNED", kMysql), "int unsigned");
  EXPECT_EQ(TypeOf("INTEGER UNSIGNED", kMysql57), "int(10) unsigned");
  EXPECT_EQ(TypeOf("INT(5)", kMysql), "int");
  EXPECT_EQ(TypeOf("INT(5)", kMariadb), "int(5)");
  EXPECT_EQ(TypeOf("BOOLEAN", kMysql), "tinyint(1)");
  EXPECT_EQ(TypeOf("TINYINT(1)", kMysql), "tinyint(1)");
  EXPECT_EQ(TypeOf("SMALLINT", kMariadb), "smallint(6)");
  EXPECT_EQ(TypeOf("NUMERIC", kMysql), "decimal(10,0)");
  EXPECT_EQ(TypeOf("DEC(5) UNSIGNED", kMysql), "decimal(5,0) unsigned");
  EXPECT_EQ(TypeOf("DATETIME(0)", kMysql), "datetime");
  EXPECT_EQ(TypeOf("YEAR", kMysql), "year");
  EXPECT_EQ(TypeOf("YEAR", kMariadb), "year(4)");
  EXPECT_EQ(TypeOf("CHAR", kMysql), "char(1) latin1 latin1_swedish_ci");
  EXPECT_EQ(TypeOf("VARCHAR(9) CHARSET utf8", kMysql), "varchar(9) utf8mb3");
  EXPECT_EQ(TypeOf("TEXT COLLATE utf8mb4_bin", kMysql), "text utf8mb4 utf8mb4_bin");
  EXPECT_EQ(TypeOf("ENUM('a','it''s') CHARSET cp1251", kMysql), "enum('a','it''s') cp1251");
  EXPECT_EQ(TypeOf("JSON", kMysql), "json");
  EXPECT_EQ(TypeOf("JSON", kMariadb), "longtext utf8mb4 utf8mb4_bin");
  EXPECT_EQ(TypeOf("VECTOR", kMysql), "vector(2048)");
}

TEST(PlanAdditionTest, WhatTheStatementDoesNotTell) {
  for (const char* actions :
       {"ADD x DATETIME DEFAULT NOW()", "ADD x TIMESTAMP", "ADD x TEXT(9)", "ADD x FLOAT(20)",
        "ADD x SERIAL", "ADD x ENUM('a ')", "ADD x CHAR(9) CHARSET binary", "ADD v INT",
        "ADD x INT AFTER nothing", "ADD x VARCHAR(9) CHARSET utf8mb4 COLLATE latin1_bin",
        "ADD x VARCHAR(9) COLLATE uca1400_ai_ci", "ADD x ENUM('ü')", "ADD x JSON NOT NULL"}) {
    const auto addition = Plan(actions);
    ASSERT_FALSE(addition) << actions;
    EXPECT_EQ(addition.error().code, ErrorCode::kConflict) << addition.error().ToString();
  }
  const auto there = Plan("ADD IF NOT EXISTS v INT", kMariadb);
  ASSERT_TRUE(there);
  EXPECT_EQ(there->definition, Before());
  EXPECT_THAT(there->columns, IsEmpty());
}

TEST(PlanAdditionTest, WhatTheTargetCannotHave) {
  const auto meta = Plan("ADD _penstock_version INT");
  ASSERT_FALSE(meta);
  EXPECT_EQ(meta.error().code, ErrorCode::kInvalidArgument);
  typemap::TargetOptions collapsing;
  collapsing.whole_row_may_be_key = true;
  model::Table keyless = Before();
  keyless.key.clear();
  keyless.key_is_primary = false;
  const auto added = ddl::Classify("ALTER TABLE a ADD x INT", "shop", {}).added;
  EXPECT_EQ(PlanAddition(keyless, collapsing, added, kMysql).error().code, ErrorCode::kConflict);
}

using AddedColumnsTest = AssemblerTest;

TEST_F(AddedColumnsTest, RowsBeforeAndAfter) {
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
  ASSERT_TRUE(Commit());
  ASSERT_TRUE(Gtid(2));
  ASSERT_TRUE(Sql("ALTER TABLE a ADD w INT NOT NULL DEFAULT 5"));
  EXPECT_TRUE(assembler_->cut_due());
  const Batch before = assembler_->TakeBatch();
  EXPECT_THAT(RowsOf(before, 0), ElementsAre("1=10"));
  ASSERT_TRUE(before.added);
  EXPECT_EQ(before.added->before.mysql.ToString(), fmt::format("{}:1", kUuid));
  EXPECT_EQ(before.end.mysql.ToString(), fmt::format("{}:1-2", kUuid));
  EXPECT_EQ(before.added->definition.columns.size(), 3U);
  EXPECT_FALSE(assembler_->cut_due());

  ASSERT_TRUE(Gtid(3));
  ASSERT_TRUE(Sql("BEGIN"));
  ASSERT_TRUE(Map(8, "a", 3, {"id", "v", "w"}));
  const std::string row("\0\2\0\0\0\3\0\0\0\4\0\0\0", 13);
  ASSERT_TRUE(Feed(binlog::Rows{.kind = RowsKind::kInsert,
                                .table_id = 8,
                                .statement_end = true,
                                .column_count = 3,
                                .present = "\7",
                                .present_after = "\7",
                                .partial_json = false,
                                .data = row}));
  ASSERT_TRUE(Commit());
  const Batch after = assembler_->TakeBatch();
  EXPECT_FALSE(after.added);
  ASSERT_EQ(after.tables.size(), 1U);
  EXPECT_EQ(after.tables[0].block.columns[2].name, "w");
  EXPECT_EQ(after.tables[0].block.rows, 1U);
  EXPECT_THAT(after.fences, IsEmpty());
}

// The old id of the table, and rows of the old form, are nothing that the definition fits.
TEST_F(AddedColumnsTest, RowsThatDoNotFitFence) {
  const std::pair<size_t, std::vector<std::string_view>> maps[] = {
      {2, {"id", "v"}}, {3, {"id", "w", "v"}}, {3, {}}};
  for (const auto& [columns, names] : maps) {
    Follow({TableOf("a"), TableOf("b")});
    ASSERT_TRUE(Sql("ALTER TABLE a ADD w INT NOT NULL"));
    ASSERT_TRUE(assembler_->TakeBatch().added);
    ASSERT_TRUE(Gtid(3));
    ASSERT_TRUE(Sql("BEGIN"));
    ASSERT_TRUE(Map(7, "a", columns, names));
    EXPECT_THAT(TakeFences(), ElementsAre("shop.a before "));
    // Rows without the column may be of the middle of an ALTER.
    EXPECT_EQ(heals_, columns == 2 ? Heals::kByResync : Heals::kByUser);
  }
}

TEST_F(AddedColumnsTest, ColumnsThatAreOthersInTheLogFence) {
  const std::vector<std::string_view> names = {"id", "v", "w"};
  const std::array<uint16_t, 3> metadata = {0, 0, 2};
  const std::string_view latin1("\2\1\x08");
  const std::string_view utf8("\2\1\x2d");
  for (const auto& [nullable, optional, fits] : {std::tuple(std::string_view("\4"), latin1, true),
                                                 {std::string_view("\0", 1), latin1, false},
                                                 {std::string_view("\4"), utf8, false}}) {
    Follow({TableOf("a"), TableOf("b")});
    ASSERT_TRUE(Sql("ALTER TABLE a ADD w TEXT CHARSET latin1"));
    ASSERT_TRUE(assembler_->TakeBatch().added);
    ASSERT_TRUE(Gtid(3));
    ASSERT_TRUE(Sql("BEGIN"));
    ASSERT_TRUE(Feed(binlog::TableMap{.table_id = 7,
                                      .schema = "shop",
                                      .table = "a",
                                      .types = "\3\3\xfc",
                                      .metadata = metadata,
                                      .nullable = nullable,
                                      .is_unsigned = {},
                                      .names = names,
                                      .optional = optional}));
    EXPECT_EQ(assembler_->TakeBatch().fences.empty(), fits);
  }
}

TEST_F(AddedColumnsTest, WhatIsNotToldHealsByAResync) {
  for (const char* sql :
       {"ALTER TABLE a ADD w DATETIME DEFAULT NOW()", "ALTER TABLE a ADD w INT COMMENT 'größe'"}) {
    Follow({TableOf("a"), TableOf("b")});
    ASSERT_TRUE(Sql(sql));
    EXPECT_THAT(TakeFences(), ElementsAre("shop.a before ")) << sql;
    EXPECT_EQ(heals_, Heals::kByResync) << sql;
  }
  Follow({TableOf("a"), TableOf("b")}, {},
         {{.xid = "X'61',X'',1", .file = "1", .bytes = 1, .tables = {{"shop", "a"}}}});
  ASSERT_TRUE(Sql("ALTER TABLE b ADD w INT"));
  EXPECT_TRUE(assembler_->TakeBatch().added);
  ASSERT_TRUE(Sql("ALTER TABLE a ADD w INT"));
  EXPECT_THAT(TakeFences(), ElementsAre("shop.a before "));
  EXPECT_EQ(heals_, Heals::kByResync);
}

TEST_F(AddedColumnsTest, ALogWithoutNames) {
  assembler_->set_names_are_logged(false);
  ASSERT_TRUE(Sql("ALTER TABLE a ADD w INT"));
  const Batch batch = assembler_->TakeBatch();
  ASSERT_EQ(batch.fences.size(), 1U);
  EXPECT_EQ(batch.fences[0].heals, Heals::kByUser);
  EXPECT_THAT(batch.fences[0].error.ToString(), HasSubstr("binlog_row_metadata='FULL'"));
  EXPECT_THAT(batch.fences[0].error.ToString(), HasSubstr("ADD w INT"));
  EXPECT_FALSE(batch.added);
}

}  // namespace
}  // namespace penstock::stream
