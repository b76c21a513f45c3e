#include "api/shapes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"

namespace penstock::api {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

pipe::PipeStatus SomeStatus() {
  auto spec = pipe::ParsePipeSpec(json::parse(R"({
    "name": "shop",
    "source": {"mysql": {
      "host": "db", "port": 3306, "credentials": {"username": "u", "password": "s3cret"},
      "settings": {"replicationMode": "cdc"},
      "tableMappings": [{"sourceSchemaName": "a", "sourceTable": "b", "targetTable": "c"}]}},
    "destination": {"database": "d",
                    "clickhouse": {"url": "http://x", "password": "other s3cret"}}
  })"));
  EXPECT_TRUE(spec);
  pipe::PipeStatus status;
  status.id = "the-id";
  status.spec = *std::move(spec);
  status.state = pipe::State::kRunning;
  status.created_at = UnixMicros(1'700'000'000'123'456);
  pipe::TableStatus& table = status.tables.emplace_back();
  table.source = {"a", "b"};
  table.target = "d.c";
  table.state = "following";
  return status;
}

TEST(Shapes, SuccessAndErrorHaveTheirEnvelopes) {
  const json success = json::parse(Success({{"a", 1}}).body);
  EXPECT_EQ(success["status"], 200);
  EXPECT_EQ(success["result"], json({{"a", 1}}));
  EXPECT_THAT(success["requestId"].get<std::string>(),
              MatchesRegex("[0-9a-f]+-[0-9a-f]+-4[0-9a-f]+-[89ab][0-9a-f]+-[0-9a-f]+"));
  EXPECT_FALSE(json::parse(SuccessWithoutResult().body).contains("result"));

  const HttpResponse error = ErrorResponse(
      Error{.code = ErrorCode::kNotFound, .message = "no pipe", .remedy = "Make one"});
  EXPECT_EQ(error.status, 404);
  const json body = json::parse(error.body);
  EXPECT_EQ(body["status"], 404);
  EXPECT_EQ(body["error"], "no pipe. Make one");
  EXPECT_FALSE(body.contains("result"));
}

TEST(Shapes, ErrorTextsInAnyEncodingAreAnswered) {
  const HttpResponse error = ErrorResponse(400, "caf\xe9");
  EXPECT_THAT(json::parse(error.body)["error"].get<std::string>(), HasSubstr("caf"));
}

TEST(Shapes, PipesShowNoSecrets) {
  const pipe::PipeStatus status = SomeStatus();
  const json pipe = PipeToJson(status, "service");
  EXPECT_EQ(pipe["id"], "the-id");
  EXPECT_EQ(pipe["serviceId"], "service");
  EXPECT_EQ(pipe["state"], "Running");
  EXPECT_EQ(pipe["createdAt"], "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(pipe["source"]["mysql"]["host"], "db");
  EXPECT_FALSE(pipe.contains("reason"));
  EXPECT_THAT(pipe.dump(), Not(HasSubstr("s3cret")));
  EXPECT_THAT(StatusToJson(status).dump(), Not(HasSubstr("s3cret")));
}

TEST(Shapes, LagThatIsNotKnownIsNull) {
  pipe::PipeStatus status = SomeStatus();
  EXPECT_TRUE(StatusToJson(status)["lagSeconds"].is_null());
  status.lag = std::chrono::milliseconds(1234);
  EXPECT_EQ(StatusToJson(status)["lagSeconds"], 1.234);
  EXPECT_EQ(StatusToJson(status)["tables"][0]["target"], "d.c");
}

TEST(Shapes, WhatIsNotKnownOfALoadIsNull) {
  pipe::PipeStatus status = SomeStatus();
  status.load = {.tables = 1,
                 .tables_done = 0,
                 .partitions = 4,
                 .partitions_done = 1,
                 .partitions_in_flight = 2,
                 .rows = 250,
                 .rows_estimated = 1000,
                 .bytes = 2500,
                 .bytes_estimated = 9000};
  status.tables[0].load = status.load;
  json body = StatusToJson(status);
  EXPECT_TRUE(body["snapshot"]["secondsLeft"].is_null());
  EXPECT_EQ(body["snapshot"]["tables"], 1);
  EXPECT_EQ(body["tables"][0]["partitionsInFlight"], 2);
  EXPECT_EQ(body["tables"][0]["percent"], 24.9);
  status.load_rows_per_second = 10;
  body = StatusToJson(status);
  EXPECT_EQ(body["snapshot"]["secondsLeft"], 75);
  EXPECT_TRUE(body["tables"][0]["secondsLeft"].is_null());
}

TEST(Shapes, PartitionsHaveStatesAndDurations) {
  pipe::PartitionStatus partition{.source = {"a", "b"}, .partition = {}};
  json body = PartitionsToJson({partition})[0];
  EXPECT_EQ(body["state"], "waiting");
  EXPECT_TRUE(body["startedAt"].is_null());
  partition.partition.started_at = UnixMicros(1'700'000'000'000'000);
  body = PartitionsToJson({partition})[0];
  EXPECT_EQ(body["state"], "begun");
  EXPECT_EQ(body["startedAt"], "2023-11-14T22:13:20.000Z");
  EXPECT_TRUE(body["milliseconds"].is_null());
  partition.partition.finished_at = partition.partition.started_at + UnixMicros(1'250'000);
  partition.partition.done = true;
  body = PartitionsToJson({partition})[0];
  EXPECT_EQ(body["state"], "loaded");
  EXPECT_EQ(body["milliseconds"], 1250);
}

TEST(Shapes, BatchesHaveDurations) {
  const catalog::BatchRecord record{
      .number = 3,
      .rows = 10,
      .started_at = UnixMicros(1'000'000),
      .finished_at = UnixMicros(1'250'000),
      .reading = UnixMicros(1'500),
      .changes = {{.table_id = 7, .inserted = 1, .updated = 2, .deleted = 7}},
      .read = *model::Position::Parse("mariadb_gtid|bin.000002|400||0-1-5")};
  const json batch = BatchesToJson({{.batch = record, .tables = {{"a", "b"}}}})[0];
  EXPECT_EQ(batch["milliseconds"], 250);
  EXPECT_EQ(batch["readingMilliseconds"], 1.5);
  EXPECT_EQ(batch["number"], 3);
  EXPECT_EQ(batch["changes"][0]["sourceTable"], "b");
  EXPECT_EQ(batch["changes"][0]["rowsDeleted"], 7);
  EXPECT_EQ(batch["gtids"], "0-1-5");
  EXPECT_EQ(batch["positionInFiles"], "bin.000002:400");
}

TEST(Shapes, BodiesAreReadStrictly) {
  EXPECT_TRUE(ParseBody(R"({"a": {"x": 1}, "b": {"x": 1}})"));
  EXPECT_THAT(ParseBody("").error().message, HasSubstr("missing"));
  for (const char* text : {"{", "nul", "{'a': 1}", "\xff", "{\"a\": \"\xff\"}", "1 2"}) {
    const auto parsed = ParseBody(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().message, "body: is not JSON");
  }
  EXPECT_EQ(ParseBody(R"({"a": 1, "b": {"c": 1, "c": 2}})").error().message, "c: given twice");
}

TEST(Shapes, DeepBodiesAreRefused) {
  EXPECT_TRUE(ParseBody(std::string(30, '[') + std::string(30, ']')));
  for (const std::string& text : {std::string(100, '[') + std::string(100, ']'),
                                  std::string(1'000'000, '['), std::string(1'000'000, '{')}) {
    const auto parsed = ParseBody(text);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace penstock::api
