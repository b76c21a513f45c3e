#include "ddl/added_column.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ddl/statement.h"

namespace penstock::ddl {
namespace {

using testing::ElementsAre;

std::string Describe(const AddedColumn& column) {
  using Kind = model::ColumnDefault::Kind;
  if (column.unclear) return fmt::format("{}? {}", column.name, *column.unclear);
  std::string text =
      fmt::format("{} {}({}){}", column.name, column.type, fmt::join(column.arguments, "|"),
                  column.is_unsigned ? " unsigned" : "");
  if (column.nullable) text += *column.nullable ? " null" : " not null";
  if (!column.charset.empty()) text += " charset=" + column.charset;
  if (!column.collation.empty()) text += " collation=" + column.collation;
  if (column.default_value.kind == Kind::kNull) text += " =NULL";
  if (column.default_value.kind == Kind::kNumber) text += " =" + column.default_value.text;
  if (column.default_value.kind == Kind::kText) text += " ='" + column.default_value.text + "'";
  if (column.first) text += " first";
  if (!column.after.empty()) text += " after " + column.after;
  return column.unless_there ? text + " unless there" : text;
}

std::vector<std::string> Added(std::string_view actions, SqlMode mode = {}) {
  const Statement statement = Classify(fmt::format("ALTER TABLE a {}", actions), "shop", mode);
  if (statement.kind != StatementKind::kColumnAddition) return {"none"};
  std::vector<std::string> described;
  for (const AddedColumn& column : statement.added) described.push_back(Describe(column));
  return described;
}

TEST(AddedColumnTest, TypesAndAttributes) {
  EXPECT_THAT(Added("ADD x INT"), ElementsAre("x int()"));
  EXPECT_THAT(Added("ADD COLUMN `a b` INTEGER(5) UNSIGNED NOT NULL DEFAULT 7 COMMENT 'c, )' FIRST"),
              ElementsAre("a b integer(5) unsigned not null =7 first"));
  EXPECT_THAT(Added("add column x double precision null default null after `y z`"),
              ElementsAre("x double precision() null =NULL after y z"));
  EXPECT_THAT(Added("ADD x VARCHAR(9) CHARACTER SET Latin1 COLLATE latin1_bin UNIQUE KEY"),
              ElementsAre("x varchar(9) charset=latin1 collation=latin1_bin"));
  EXPECT_THAT(Added("ADD x CHAR VARYING(9) CHARSET = 'utf8mb4'"),
              ElementsAre("x char varying(9) charset=utf8mb4"));
  EXPECT_THAT(Added("ADD x ENUM('a','it''s','\\'\\n') INVISIBLE"),
              ElementsAre("x enum(a|it's|'\n)"));
  EXPECT_THAT(Added("ADD x DATETIME(3) DEFAULT '2024-01-01' ON UPDATE CURRENT_TIMESTAMP(3)"),
              ElementsAre("x datetime(3) ='2024-01-01'"));
  EXPECT_THAT(Added("ADD x INT CHECK (x > (1))"), ElementsAre("x int()"));
}

TEST(AddedColumnTest, Defaults) {
  EXPECT_THAT(Added("ADD x DECIMAL(5,2) DEFAULT -1.50"), ElementsAre("x decimal(5|2) =-1.50"));
  EXPECT_THAT(Added("ADD x BOOL DEFAULT TRUE, ADD y BOOL DEFAULT (FALSE)"),
              ElementsAre("x bool() =1", "y bool() =0"));
  EXPECT_THAT(Added("ADD x TEXT DEFAULT (('a\\\\b\\%'))"), ElementsAre("x text() ='a\\b\\%'"));
  EXPECT_THAT(Added("ADD x TEXT DEFAULT 'a\\nb'", {.backslash_escapes = false}),
              ElementsAre("x text() ='a\\nb'"));
  for (const char* text : {"'a' 'b'", "(1 + 1)", "1 + 1", "1e3", "x'41'", "b'1'", "_utf8mb4'a'",
                           "CURRENT_TIMESTAMP", "(uuid())", "NOW(3)", "('a' COLLATE b)"}) {
    EXPECT_THAT(Added(fmt::format("ADD x INT DEFAULT {}", text)),
                ElementsAre(testing::StartsWith("x? ")))
        << text;
  }
}

TEST(AddedColumnTest, SeveralAndWhatIsHarmlessBesideThem) {
  EXPECT_THAT(Added("ADD (x INT, y CHAR(2)), ADD z INT AFTER x"),
              ElementsAre("x int()", "y char(2)", "z int() after x"));
  EXPECT_THAT(Added("ADD COLUMN IF NOT EXISTS x INT"), ElementsAre("x int() unless there"));
  EXPECT_THAT(Added("WAIT 5 ADD x INT, ADD INDEX (x), COMMENT = 'c', ALGORITHM=INSTANT"),
              ElementsAre("x int()"));
}

TEST(AddedColumnTest, WhatIsNotKnownIsSaid) {
  EXPECT_THAT(Added("ADD x INT AUTO_INCREMENT UNIQUE"), ElementsAre("x? AUTO_INCREMENT"));
  EXPECT_THAT(Added("ADD x INT GENERATED ALWAYS AS (y) STORED"), ElementsAre("x? GENERATED"));
  EXPECT_THAT(Added("ADD x INT KEY"), ElementsAre("x? KEY"));
  EXPECT_THAT(Added("ADD x INT ZEROFILL"), ElementsAre("x? ZEROFILL"));
  EXPECT_THAT(Added("ADD (x INT, INDEX (x))"), ElementsAre("x int()", "INDEX? ("));
  EXPECT_THAT(Added("ADD x INT /*!80000 DEFAULT 5 */"), ElementsAre("x? /*!"));
  EXPECT_THAT(Added("ADD (x INT"), ElementsAre("x? "));
  EXPECT_THAT(Added("ADD"), ElementsAre("? "));
}

TEST(AddedColumnTest, OtherChangesBesideThem) {
  for (const char* actions :
       {"ADD x INT, DROP y", "DROP INDEX i, ADD x INT", "MODIFY y INT, ADD x INT",
        "ADD x INT PRIMARY KEY", "ADD x INT, RENAME TO b"}) {
    EXPECT_THAT(Added(actions), ElementsAre("none")) << actions;
  }
}

}  // namespace
}  // namespace penstock::ddl
