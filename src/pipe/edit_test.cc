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

TEST(EditTest, WhereNoneIsStoredNoneIsNeeded) {
  EXPECT_EQ(ErrorOf(SomeSpec(""), {{"source", {{"mysql", {{"host", "elsewhere.example"}}}}}}), "");
}

}  // namespace
}  // namespace penstock::pipe
