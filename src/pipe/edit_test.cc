#include "pipe/edit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::pipe {
namespace {

using nlohmann::json;
using testing::HasSubstr;

PipeSpec SomeSpec(const std::string& password = "stored") {
  const json body = {
      {"name", "shop"},
      {"source",
       {{"mysql",
         {{"host", "db.example"},
          {"port", 3306},
          {"credentials", {{"username", "repl"}, {"password", password}}},
          {"settings", {{"replicationMode", "cdc"}}},
          {"tableMappings",
           json::array(
               {{{"sourceSchemaName", "shop"}, {"sourceTable", "t"}, {"targetTable", "t"}}})}}}}},
      {"destination",
       {{"database", "replica"},
        {"clickhouse",
         {{"url", "http://ch.example:8123"}, {"user", "u"}, {"password", password}}}}}};
  auto spec = ParsePipeSpec(body);
  EXPECT_TRUE(spec) << spec.error().ToString();
  return *std::move(spec);
}

// The error of a change of the source, "" for none.
std::string ErrorOf(const PipeSpec& spec, const json& fields) {
  const auto changed = Changed(spec, {.fields = fields}, {});
  return changed ? "" : changed.error().ToString();
}
std::string ErrorOfSource(json mysql) {
  return ErrorOf(SomeSpec(), {{"source", {{"mysql", std::move(mysql)}}}});
}
std::string ErrorOfDestination(json clickhouse) {
  return ErrorOf(SomeSpec(), {{"destination", {{"clickhouse", std::move(clickhouse)}}}});
}

const std::vector<json> kSourceChanges = {{{"host", "elsewhere.example"}},
                                          {{"port", 3307}},
                                          {{"credentials", {{"username", "other"}}}},
                                          {{"tlsHost", "elsewhere.example"}},
                                          {{"caCertificate", "-----BEGIN CERTIFICATE-----"}},
                                          {{"disableTls", true}},
                                          {{"skipCertVerification", true}}};
const std::vector<json> kDestinationChanges = {{{"url", "http://elsewhere.example:8123"}},
                                               {{"user", "other"}},
                                               {{"skipCertVerification", true}}};

TEST(EditTest, AStoredPasswordIsSentNowhereElse) {
  for (const json& change : kSourceChanges) {
    EXPECT_THAT(ErrorOfSource(change), HasSubstr("source.mysql.credentials.password")) << change;
  }
  for (const json& change : kDestinationChanges) {
    EXPECT_THAT(ErrorOfDestination(change), HasSubstr("destination.clickhouse.password")) << change;
  }
}

TEST(EditTest, WithItsPasswordAServerMayChange) {
  for (json change : kSourceChanges) {
    change["credentials"]["password"] = "stored";
    EXPECT_EQ(ErrorOfSource(change), "");
  }
  for (json change : kDestinationChanges) {
    change["password"] = "stored";
    EXPECT_EQ(ErrorOfDestination(change), "");
  }
}

TEST(EditTest, ThePasswordOfTheOtherServerIsOfNoUse) {
  EXPECT_NE(ErrorOf(SomeSpec(), {{"source", {{"mysql", {{"host", "elsewhere.example"}}}}},
                                 {"destination", {{"clickhouse", {{"password", "stored"}}}}}}),
            "");
}

TEST(EditTest, WhatDoesNotChangeNeedsNone) {
  EXPECT_EQ(
      ErrorOfSource({{"host", "db.example"}, {"port", 3306}, {"settings", {{"pullBatchSize", 9}}}}),
      "");
  EXPECT_EQ(ErrorOfDestination({{"url", "http://ch.example:8123"}}), "");
}

// The mapping of shop.t, in both lists, with what it is to have.
json Remapping(json to, json removal = json::object()) {
  const json names = {{"sourceSchemaName", "shop"}, {"sourceTable", "t"}, {"targetTable", "t"}};
  to.update(names);
  removal.update(names);
  return {{"source",
           {{"mysql",
             {{"tableMappingsToAdd", json::array({to})},
              {"tableMappingsToRemove", json::array({removal})}}}}}};
}

TEST(EditTest, AMappingChangesInItsPlace) {
  const std::pair<json, bool> cases[] = {
      {{{"partitionKey", "v"}}, false},
      {{{"excludedColumns", {"v"}}}, true},
      {{{"partitionKey", "v"}, {"tableEngine", "MergeTree"}}, true}};
  for (const auto& [to, reshaped] : cases) {
    auto change = *ParsePipeChange(Remapping(to));
    TakeRemapped(SomeSpec(), change);
    EXPECT_TRUE(change.tables_to_add.empty());
    EXPECT_TRUE(change.tables_to_remove.empty());
    const auto after = Changed(SomeSpec(), change, {});
    ASSERT_TRUE(after) << after.error().ToString();
    EXPECT_EQ(after->tables, after->mappings);
    const auto remapped = RemappedTables(SomeSpec(), change, *after);
    ASSERT_EQ(remapped.size(), 1u);
    EXPECT_EQ(remapped[0].reshaped, reshaped) << to;
  }
}

TEST(EditTest, ATableWhoseTargetIsDroppedIsAnotherOne) {
  auto change = *ParsePipeChange(Remapping({}, {{"dropTargetTable", true}}));
  TakeRemapped(SomeSpec(), change);
  EXPECT_EQ(change.tables_to_add.size(), 1u);
  EXPECT_EQ(change.tables_to_remove.size(), 1u);
}

TEST(EditTest, WhereNoneIsStoredNoneIsNeeded) {
  EXPECT_EQ(ErrorOf(SomeSpec(""), {{"source", {{"mysql", {{"host", "elsewhere.example"}}}}}}), "");
}

}  // namespace
}  // namespace penstock::pipe
