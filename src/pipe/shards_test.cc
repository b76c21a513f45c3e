#include "pipe/shards.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <tuple>

#include "pipe/table_patterns.h"

namespace penstock::pipe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TableMapping Mapping(const std::string& schema, const std::string& table,
                     const std::string& target) {
  TableMapping mapping;
  mapping.source = {schema, table};
  mapping.target_table = target;
  return mapping;
}

std::vector<bool> Marked(PipeSpec spec, size_t first = 0) {
  MarkShards(spec, first);
  std::vector<bool> marks;
  for (const TableMapping& table : spec.tables) marks.push_back(table.tells_source);
  return marks;
}

TEST(MarkShardsTest, ThoseThatShareATarget) {
  PipeSpec spec;
  spec.tables = {Mapping("a", "t", "t"), Mapping("b", "t", "t"), Mapping("a", "u", "u")};
  EXPECT_THAT(Marked(spec), ElementsAre(true, true, false));
  spec.tables[1].engine = clickhouse::Engine::kMergeTree;
  EXPECT_THAT(Marked(spec), ElementsAre(true, false, false));
}

TEST(MarkShardsTest, ThoseThatComeDoAsTheOthersDo) {
  PipeSpec spec;
  spec.tables = {Mapping("a", "t", "t"), Mapping("a", "u", "u"), Mapping("b", "t", "t"),
                 Mapping("b", "u", "u"), Mapping("b", "v", "v")};
  spec.tables[1].tells_source = true;
  EXPECT_THAT(Marked(spec, 2), ElementsAre(false, true, false, true, false));
}

TEST(MarkShardsTest, ThoseOfAPatternThatLeavesItOpen) {
  for (const auto& [schema, table, target, marked] :
       {std::tuple("s*", "t", "t", true), std::tuple("s*", "t", "{schema}_t", false),
        std::tuple("s", "t?", "t", true), std::tuple("s", "t?", "{table}", false),
        std::tuple("s*", "*", "{table}", true), std::tuple("s*", "*", "{schema}_{table}", false)}) {
    PipeSpec spec;
    spec.mappings = {Mapping(schema, table, target)};
    spec.tables = {Mapping("s1", "t1", "x")};
    spec.tables[0].pattern = 0;
    EXPECT_THAT(Marked(spec), ElementsAre(marked)) << schema << table << target;
    spec.tables[0].engine = clickhouse::Engine::kMergeTree;
    EXPECT_THAT(Marked(spec), ElementsAre(false));
  }
}

TEST(MarkShardsTest, ThoseWhoseTargetAPatternOfAnotherSchemaMayMake) {
  PipeSpec spec;
  spec.tables = {Mapping("s1", "t", "t")};
  for (const auto& [schema, table, target, marked] :
       {std::tuple("s2", "*", "{table}", true), std::tuple("s2", "u*", "{table}", false),
        std::tuple("s1", "*", "{table}", false), std::tuple("s2", "*", "{schema}_{table}", false),
        std::tuple("s*", "*", "{table}", true), std::tuple("s2", "?", "{table}*", false),
        std::tuple("s*", "*", "{schema}_{table}", false), std::tuple("?", "x", "{schema}", true),
        std::tuple("s?", "t", "{table}", true), std::tuple("s1", "?", "{table}{schema}", false)}) {
    spec.mappings = {spec.tables[0], Mapping(schema, table, target)};
    EXPECT_THAT(Marked(spec), ElementsAre(marked)) << schema << table << target;
    spec.mappings[1].engine = clickhouse::Engine::kMergeTree;
    EXPECT_THAT(Marked(spec), ElementsAre(false));
  }
  spec.mappings[1] = Mapping("s2", "*", "{table}");
  EXPECT_THAT(Marked(spec), ElementsAre(true));
  spec.mappings[1].excluded_tables = {"t"};
  EXPECT_THAT(Marked(spec), ElementsAre(false));
  spec.mappings[1].excluded_tables.clear();
  spec.tables.push_back(Mapping("s2", "t", "u"));  // by a mapping of its own; s2.u may come
  EXPECT_THAT(Marked(spec), ElementsAre(false, true));
}

TEST(MarkShardsTest, OneThatWasRefusedDecidesNothing) {
  PipeSpec spec;
  spec.tables = {Mapping("a", "t", "t"), Mapping("b", "t", "t"), Mapping("c", "t", "t")};
  MarkShards(spec, 1, {{"a", "t"}});
  EXPECT_TRUE(spec.tables[1].tells_source);
}

TEST(CheckMayShareTest, BothTellTheirSource) {
  TableMapping one = Mapping("a", "t", "t");
  TableMapping other = Mapping("b", "t", "t");
  one.tells_source = other.tells_source = true;
  EXPECT_TRUE(CheckMayShare(one, other));
  one.engine = clickhouse::Engine::kMergeTree;  // by a change of its mapping
  EXPECT_FALSE(CheckMayShare(one, other));
  one.engine = other.engine;
  one.tells_source = other.tells_source = false;
  EXPECT_THAT(CheckMayShare(one, other).error().message, HasSubstr("for one of them alone"));
  other.engine = clickhouse::Engine::kNull;
  EXPECT_THAT(CheckMayShare(one, other).error().message, HasSubstr("only tables of Replacing"));
}

clickhouse::TableSpec Target() {
  clickhouse::TableSpec target{.database = "d", .table = "t", .columns = {}, .order_by = {"id"}};
  target.columns = {{.name = "id", .type = "Int32"}};
  for (auto& column : clickhouse::SourceColumns()) target.columns.push_back(std::move(column));
  return target;
}

TEST(AddShardTest, AddsWhatIsNotThere) {
  clickhouse::TableSpec target = Target();
  clickhouse::TableSpec shard = Target();
  shard.columns.push_back({.name = "v", .type = "String"});
  ASSERT_TRUE(AddShard(shard, target));
  EXPECT_EQ(target.columns, shard.columns);
  EXPECT_TRUE(AddShard(Target(), target));
  EXPECT_EQ(target.columns, shard.columns);
}

TEST(AddShardTest, RefusesWhatDiffers) {
  const auto refused = [](const auto& change) {
    clickhouse::TableSpec target = Target();
    clickhouse::TableSpec shard = Target();
    change(shard);
    return AddShard(shard, target).error().message;
  };
  EXPECT_THAT(refused([](auto& shard) { shard.columns[0].type = "Int64"; }),
              HasSubstr("the column id is Int32 and Int64"));
  EXPECT_THAT(refused([](auto& shard) { shard.order_by = {"v"}; }), HasSubstr("(id) and (v)"));
  EXPECT_THAT(refused([](auto& shard) { shard.partition_by = "v"; }), HasSubstr("partitionBy"));
  EXPECT_THAT(refused([](auto& shard) { shard.engine = clickhouse::Engine::kMergeTree; }),
              HasSubstr("engines"));
  EXPECT_THAT(refused([](auto& shard) { shard.columns.resize(1); }), HasSubstr("alone"));
}

catalog::TableRecord Record(const std::string& schema, const std::string& target) {
  catalog::TableRecord record;
  record.definition.name = {schema, "t"};
  record.target = target;
  record.ddl = "CREATE";
  return record;
}

TEST(RemovalsOfTest, WhileOthersStayOnlyRowsGo) {
  std::vector<catalog::TableRecord> all = {Record("a", "t"), Record("b", "t")};
  EXPECT_THAT(RemovalsOf(all, {{0, false}}, "u"), IsEmpty());
  const catalog::RemovalRecord rows{.url = "u", .target = "t", .rows_of = {"a", "t"}};
  EXPECT_THAT(RemovalsOf(all, {{0, true}}, "u"), ElementsAre(rows));
  all[0].load_target = all[1].load_target = "t_resync_1";
  catalog::RemovalRecord beside = rows;
  beside.target = "t_resync_1";
  EXPECT_THAT(RemovalsOf(all, {{0, true}}, "u"), ElementsAre(rows, beside));
  EXPECT_THAT(RemovalsOf(all, {{0, false}}, "u"), ElementsAre(beside));
  all[0].loaded_uuid = "whole";
  EXPECT_THAT(RemovalsOf(all, {{0, false}}, "u"), IsEmpty());
  all[0].load_target.clear();  // it is gone at the source: its rows are carried over
  EXPECT_THAT(RemovalsOf(all, {{0, true}}, "u"), ElementsAre(rows, beside));
  EXPECT_THAT(RemovalsOf(all, {{0, false}}, "u"), IsEmpty());
}

TEST(RemovalsOfTest, TheLastTakesTheTargetWithIt) {
  std::vector<catalog::TableRecord> all = {Record("a", "t"), Record("b", "t"), Record("c", "t")};
  all[2].ddl.clear();  // never set up
  const catalog::RemovalRecord dropped{.url = "", .target = "t", .drop_target = true};
  EXPECT_THAT(RemovalsOf(all, {{0, true}, {1, true}, {2, true}}, ""), ElementsAre(dropped));
  const catalog::RemovalRecord kept{.url = "", .target = "t"};
  const catalog::RemovalRecord rows{.url = "", .target = "t", .rows_of = {"b", "t"}};
  EXPECT_THAT(RemovalsOf(all, {{0, false}, {1, true}}, ""), ElementsAre(rows, kept));
  EXPECT_THAT(RemovalsOf(all, {{2, true}}, ""), IsEmpty());
}

TEST(RemovalsOfTest, TheLastLeavesWhatWasKeptOfOthers) {
  const std::vector<catalog::TableRecord> all = {Record("a", "t")};
  const catalog::RemovalRecord rows{.url = "", .target = "t", .rows_of = {"a", "t"}};
  const catalog::RemovalRecord kept{.url = "", .target = "t"};
  catalog::RemovalRecord dropped = kept;
  dropped.drop_target = dropped.only_if_empty = true;
  EXPECT_THAT(RemovalsOf(all, {{0, true, true}}, ""), ElementsAre(rows, dropped));
  EXPECT_THAT(RemovalsOf(all, {{0, false, true}}, "").at(0).drop_target, false);
}

TEST(BrokenTargetsTest, WhereOneLoadIsNotWhole) {
  std::vector<catalog::TableRecord> all = {Record("a", "t"), Record("b", "t"), Record("a", "u")};
  for (auto& record : all) record.load_target = record.target + "_resync_1";
  EXPECT_THAT(BrokenTargets(all), IsEmpty());
  all[1].quarantine = catalog::Quarantine();
  EXPECT_THAT(BrokenTargets(all), ElementsAre("t"));
  all[1].loaded_uuid = "whole before it was quarantined";
  EXPECT_THAT(BrokenTargets(all), IsEmpty());
  all.push_back(Record("c", "t"));  // its load has not begun, or was given up
  EXPECT_THAT(BrokenTargets(all), ElementsAre("t"));
  all.back().quarantine = catalog::Quarantine{.position = {}, .reason = "", .gone = true};
  EXPECT_THAT(BrokenTargets(all), IsEmpty());
  all.back().quarantine.reset();
  all.back().ddl.clear();  // it was never set up: nothing of it is in the target
  EXPECT_THAT(BrokenTargets(all), IsEmpty());
}

TEST(BrokenTargetsTest, WhatWasWholeBesideThemIsGivenUp) {
  std::vector<catalog::TableRecord> all = {Record("a", "t"), Record("b", "t"), Record("a", "u")};
  all[1].id = 7;
  for (size_t i = 1; i < all.size(); ++i) {  // the first is read into the target as it is
    all[i].load_target = all[i].target + "_resync_1";
    all[i].loaded_uuid = "whole";
  }
  const auto given_up = GivenUp(all, BrokenTargets(all));
  ASSERT_THAT(given_up, SizeIs(1));
  EXPECT_EQ(given_up[0].table_id, 7);
  EXPECT_EQ(given_up[0].name, "t_resync_1");
  EXPECT_EQ(given_up[0].uuid, "");
}

TEST(StoredSpecTest, KeepsWhatWasDecided) {
  const auto body = nlohmann::json::parse(R"({
    "name": "p",
    "source": {"mysql": {"host": "h", "port": 1, "credentials": {"username": "u", "password": "p"},
      "settings": {"replicationMode": "cdc"},
      "tableMappings": [{"sourceSchemaName": "a", "sourceTable": "t", "targetTable": "x"},
                        {"sourceSchemaName": "a", "sourceTable": "u", "targetTable": "y"}]}},
    "destination": {"database": "d"}})");
  auto spec = ParsePipeSpec(body);
  ASSERT_TRUE(spec) << spec.error().ToString();
  spec->tables[0].tells_source = true;
  const auto again = FromStored(ToStored(*spec), Limits());
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_EQ(again->tables, spec->tables);
}

}  // namespace
}  // namespace penstock::pipe
