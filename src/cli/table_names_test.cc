#include "cli/table_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json Table(const char* schema, const char* table) {
  return {{"sourceSchemaName", schema}, {"sourceTable", table}};
}

// "schema|table", with "|target" where there is one; "wrong" otherwise.
std::string Parsed(const char* text) {
  const auto table = ParseTable(text);
  if (!table) return "wrong";
  std::string parts = table->at("sourceSchemaName").get<std::string>() + "|" +
                      table->at("sourceTable").get<std::string>();
  if (table->contains("targetTable")) parts += "|" + table->at("targetTable").get<std::string>();
  return parts;
}

TEST(TableNamesTest, NamesAreInBackticksWhereTheyWouldBeCut) {
  EXPECT_EQ(Parsed("shop.t"), "shop|t");
  EXPECT_EQ(Parsed("shop.t.2"), "shop|t.2");
  EXPECT_EQ(Parsed("shop.t:u"), "shop|t|u");
  EXPECT_EQ(Parsed("shop.t_*:copy_{table}"), "shop|t_*|copy_{table}");
  EXPECT_EQ(Parsed("`x.y`.t"), "x.y|t");
  EXPECT_EQ(Parsed("`x.y`.`t.2`"), "x.y|t.2");
  EXPECT_EQ(Parsed("shop.`a:b`"), "shop|a:b");
  EXPECT_EQ(Parsed("shop.`a:b`:`c:d`"), "shop|a:b|c:d");
  EXPECT_EQ(Parsed("`a``b`.`c```"), "a`b|c`");
}

TEST(TableNamesTest, WhatIsNoNameIsRefused) {
  for (const char* text : {"", "t", ".t", "shop.", "shop.t:", "`shop.t", "`shop`", "`shop`t",
                           "`shop`.`t`u", "``.t", "shop.`t`:"}) {
    EXPECT_EQ(Parsed(text), "wrong") << text;
  }
  EXPECT_THAT(ParseTable("t").error().ToString(), HasSubstr("must be SCHEMA.TABLE"));
  EXPECT_THAT(ParseTable("t").error().ToString(), HasSubstr("backticks"));
}

TEST(TableNamesTest, AFullNameStandsForTheOnlyTableThatHasIt) {
  const json tables = {Table("x.y", "t.2"), Table("shop", "a:b"), Table("a.b", "c"),
                       Table("a", "b.c")};
  EXPECT_EQ(*FindTable("x.y.t.2", tables), tables[0]);
  EXPECT_EQ(*FindTable("`x.y`.`t.2`", tables), tables[0]);
  EXPECT_EQ(*FindTable("shop.a:b", tables), tables[1]);
  EXPECT_EQ(*FindTable("`a.b`.c", tables), tables[2]);
  EXPECT_EQ(*FindTable("a.b.c", tables), tables[3]);  // as it reads
  EXPECT_EQ(FindTable("x.y", tables).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(FindTable("`a`.`b.c`:d", tables).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(FindTable("x", tables).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace penstock::cli
