#include "pipe/table_patterns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace penstock::pipe {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

bool Fits(std::string_view pattern, std::string_view name) { return Matches(pattern, name, false); }

TEST(TablePatterns, StarsAndQuestionMarks) {
  EXPECT_TRUE(Fits("*", ""));
  EXPECT_TRUE(Fits("*", "orders"));
  EXPECT_TRUE(Fits("orders", "orders"));
  EXPECT_FALSE(Fits("orders", "orders2"));
  EXPECT_FALSE(Fits("orders2", "orders"));
  EXPECT_TRUE(Fits("o*s", "orders"));
  EXPECT_TRUE(Fits("o*s", "os"));
  EXPECT_FALSE(Fits("o*s", "order"));
  EXPECT_TRUE(Fits("*_20??", "log_2024"));
  EXPECT_FALSE(Fits("*_20??", "log_204"));
  EXPECT_TRUE(Fits("*a*b*", "xaybz"));
  EXPECT_TRUE(Fits("*ab", "aab"));  // the first a is not the one
  EXPECT_FALSE(Fits("*ab", "aabc"));
  EXPECT_TRUE(Fits("?", "\xc3\xa4"));  // one character of two bytes
  EXPECT_FALSE(Fits("?", ""));
  EXPECT_FALSE(Fits("??", "\xc3\xa4"));
  EXPECT_FALSE(Fits("", "a"));
  EXPECT_TRUE(Fits("", ""));
}

TEST(TablePatterns, ABackslashTakesTheMeaningAway) {
  EXPECT_TRUE(Fits("a\\*", "a*"));
  EXPECT_FALSE(Fits("a\\*", "ab"));
  EXPECT_TRUE(Fits("a\\?*", "a?b"));
  EXPECT_TRUE(Fits("a\\\\*", "a\\b"));
  EXPECT_TRUE(Fits("a\\b*", "a\\bc"));  // before another character it is one itself
}

TEST(TablePatterns, Case) {
  EXPECT_TRUE(Matches("Orders_*", "orders_1", true));
  EXPECT_FALSE(Matches("Orders_*", "orders_1", false));
  EXPECT_TRUE(Matches("\xc3\x84*",
                      "\xc3\x84"
                      "a",
                      true));
  EXPECT_FALSE(Matches("\xc3\x84", "\xc3\xa4", true));
}

TEST(TablePatterns, ManyStarsDoNotTakeForever) {
  std::string pattern;
  for (int i = 0; i < 40; ++i) pattern += "a*";
  EXPECT_FALSE(Fits(pattern + "b", std::string(64, 'a')));
}

PipeSpec SpecOf(const char* mappings) {
  json body = json::parse(R"({
    "name": "shop",
    "source": {"mysql": {
      "host": "db", "port": 3306, "credentials": {"username": "u", "password": "p"},
      "settings": {"replicationMode": "cdc"}}},
    "destination": {"database": "analytics"}})");
  body["source"]["mysql"]["tableMappings"] = json::parse(mappings);
  auto spec = ParsePipeSpec(body);
  EXPECT_TRUE(spec) << spec.error().ToString();
  return *std::move(spec);
}

mysql::TableList Listed(const std::vector<model::TableName>& names, bool ignore_case = false) {
  mysql::TableList list{.entries = {}, .names_ignore_case = ignore_case};
  for (const auto& name : names) list.entries.push_back({.name = name, .is_table = true});
  return list;
}

std::vector<std::string> Described(const std::vector<TableMapping>& tables) {
  std::vector<std::string> lines;
  for (const auto& table : tables) {
    lines.push_back(table.source.ToString() + " > " + table.target_table);
  }
  return lines;
}

constexpr auto kMappings = R"([
  {"sourceSchemaName": "shop", "sourceTable": "log_*", "targetTable": "{table}_of_{schema}",
   "tableEngine": "MergeTree"},
  {"sourceSchemaName": "shop", "sourceTable": "orders", "targetTable": "all_orders"},
  {"sourceSchemaName": "sh?p", "sourceTable": "*", "targetTable": "{schema}_{table}",
   "excludedTables": ["_*", "shop.tmp"]}])";

TEST(TablePatterns, OwnMappingsWinThenTheFirstPattern) {
  const PipeSpec spec = SpecOf(kMappings);
  EXPECT_THAT(Described(spec.tables), ElementsAre("shop.orders > all_orders"));
  auto listed = Listed({{"shop", "_old"},
                        {"shop", "log_1"},
                        {"shop", "orders"},
                        {"shop", "tmp"},
                        {"ship", "tmp"},
                        {"shops", "x"},
                        {"shop", "view"}});
  listed.entries.back().is_table = false;
  const auto tables = NewTables(spec, listed);
  EXPECT_THAT(Described(tables), ElementsAre("shop.log_1 > log_1_of_shop", "ship.tmp > ship_tmp"));
  EXPECT_EQ(tables[0].engine, clickhouse::Engine::kMergeTree);
  EXPECT_EQ(tables[0].pattern, 0U);
  EXPECT_EQ(tables[1].pattern, 2U);
}

TEST(TablePatterns, NoneIsFoundTwice) {
  PipeSpec spec = SpecOf(kMappings);
  const auto listed = Listed({{"shop", "a"}, {"SHOP", "Orders"}}, /*ignore_case=*/true);
  const auto tables = NewTables(spec, listed);
  EXPECT_THAT(Described(tables), ElementsAre("shop.a > shop_a"));
  spec.tables.push_back(tables[0]);
  EXPECT_THAT(NewTables(spec, listed), IsEmpty());
}

TEST(TablePatterns, WhatTheCatalogKeepsIsReadBack) {
  PipeSpec spec = SpecOf(kMappings);
  const auto listed = Listed({{"shop", "log_1"}, {"shop", "a*"}});
  for (auto& table : NewTables(spec, listed)) spec.tables.push_back(std::move(table));
  const auto again = FromStored(ToStored(spec), {});
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_EQ(again->tables, spec.tables);
  EXPECT_EQ(again->mappings, spec.mappings);
  EXPECT_EQ(ToJson(*again), ToJson(spec));      // as it was given
  EXPECT_FALSE(ParsePipeSpec(ToStored(spec)));  // nobody gives it
}

// What an earlier version has stored: a star was a name.
TEST(TablePatterns, OfBeforeThereWereAny) {
  const PipeSpec spec = SpecOf(kMappings);
  const auto again = FromStored(ToJsonWithSecrets(spec), {});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->tables, spec.mappings);
}

TEST(TablePatterns, AnExcludedTableStaysOut) {
  PipeSpec spec = SpecOf(kMappings);
  const auto listed = Listed({{"shop", "a*"}, {"shop", "ab"}});
  const auto tables = NewTables(spec, listed);
  ASSERT_EQ(tables.size(), 2U);
  Exclude(tables[0].source, spec);
  EXPECT_THAT(Described(NewTables(spec, listed)), ElementsAre("shop.ab > shop_ab"));
  Exclude({"shop", "log_1"}, spec);  // fits two
  EXPECT_THAT(NewTables(spec, Listed({{"shop", "log_1"}})), IsEmpty());
}

}  // namespace
}  // namespace penstock::pipe
