#include "api/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "api/server.h"
#include "base/check.h"

namespace penstock::api {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Over a real supervisor without pipes.
class RoutesTest : public testing::Test {
 protected:
  RoutesTest() : catalog_(OpenCatalog()), supervisor_(SupervisorOptions()), routes_(Options()) {}
  ~RoutesTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<catalog::Catalog> OpenCatalog() {
    std::string name = (std::filesystem::temp_directory_path() / "penstock-XXXXXX").string();
    PENSTOCK_CHECK(::mkdtemp(name.data()) != nullptr);
    folder_ = name;
    auto opened = catalog::Catalog::Open({.data_dir = folder_ / "data", .secret_key_file = {}});
    PENSTOCK_CHECK(opened.has_value());
    return *std::move(opened);
  }
  pipe::Supervisor::Options SupervisorOptions() {
    pipe::Supervisor::Options options;
    options.catalog = catalog_.get();
    options.memory_limit_bytes = 100'000'000;
    return options;
  }
  Routes::Options Options() {
    return {.organization_id = "org", .service_id = "srv", .supervisor = &supervisor_, .stop = {}};
  }

  struct Answer {
    int status;
    json body;
    std::string error() const { return body.value("error", std::string()); }
  };
  Answer Ask(const std::string& method, const std::string& path, const std::string& body = "") {
    HttpRequest request;
    request.method = method;
    request.path = path.substr(0, path.find('?'));
    if (const size_t query = path.find("?limit="); query != std::string::npos) {
      request.query["limit"] = path.substr(query + 7);
    }
    request.body = body;
    const HttpResponse response = routes_.Handle(request);
    return {.status = response.status, .body = json::parse(response.body)};
  }

  std::filesystem::path folder_;
  std::unique_ptr<catalog::Catalog> catalog_;
  pipe::Supervisor supervisor_;
  Routes routes_;
};

const std::string kService = "/v1/organizations/org/services/srv";
const std::string kPipes = kService + "/clickpipes";

TEST(SplitPath, IgnoresEmptySegments) {
  EXPECT_THAT(SplitPath("/v1//a/"), ElementsAre("v1", "a"));
  EXPECT_THAT(SplitPath("/"), IsEmpty());
  EXPECT_THAT(SplitPath(""), IsEmpty());
}

TEST_F(RoutesTest, TheServerHasOneOrganizationAndOneService) {
  EXPECT_EQ(Ask("GET", "/health").status, 200);
  EXPECT_EQ(Ask("GET", "/v1/organizations").body["result"][0]["id"], "org");
  EXPECT_EQ(Ask("GET", "/v1/organizations/org/services").body["result"][0]["id"], "srv");
  EXPECT_EQ(Ask("GET", kService).body["result"]["id"], "srv");
  EXPECT_EQ(Ask("GET", kPipes).body["result"], json::array());
}

TEST_F(RoutesTest, WhatIsNotThereIsNotFound) {
  for (const std::string& path :
       {std::string("/"), std::string("/v1"), std::string("/v1/nothing"),
        std::string("/v1/organizations/other/services"),
        std::string("/v1/organizations/org/services/other/clickpipes"), kService + "/nothing",
        kPipes + "/absent", kPipes + "/absent/status", kPipes + "/absent/events",
        kPipes + "/absent/batches", kPipes + "/absent/partitions", kPipes + "/absent/nothing",
        kPipes + "/a/state/b"}) {
    const Answer answer = Ask("GET", path);
    EXPECT_TRUE(answer.status == 404) << path << " " << answer.body;
    EXPECT_EQ(answer.body["status"], 404);
    EXPECT_NE(answer.error(), "");
  }
  EXPECT_EQ(Ask("DELETE", kPipes + "/absent").status, 404);
  EXPECT_EQ(Ask("PATCH", kPipes + "/absent/state", R"({"command": "stop"})").status, 404);
}

TEST_F(RoutesTest, OtherMethodsAreNotTaken) {
  EXPECT_EQ(Ask("POST", "/health").status, 405);
  EXPECT_EQ(Ask("DELETE", kPipes).status, 405);
  EXPECT_EQ(Ask("PUT", kPipes + "/x").status, 405);
  EXPECT_EQ(Ask("GET", kPipes + "/x/state").status, 405);
  EXPECT_EQ(Ask("GET", kService + "/clickpipesCheck").status, 405);
}

TEST_F(RoutesTest, WrongBodiesNameTheField) {
  for (const std::string& path : {kPipes, kService + "/clickpipesCheck"}) {
    EXPECT_EQ(Ask("POST", path, "{").error(), "body: is not JSON");
    EXPECT_EQ(Ask("POST", path, "[]").error(), "body: must be an object");
    const Answer answer = Ask("POST", path, R"({"name": "x", "source": {"mysql": {"hots": 1}}})");
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.error(), HasSubstr("source.mysql.host: missing"));
  }
}

TEST_F(RoutesTest, CommandsAreReadStrictly) {
  const std::string path = kPipes + "/x/state";
  EXPECT_EQ(Ask("PATCH", path, R"({"command": "jump"})").error(),
            "command: must be one of: start, stop, resync, retry");
  EXPECT_EQ(Ask("PATCH", path, "{}").status, 400);
  EXPECT_EQ(Ask("PATCH", path, "[]").error(), "body: must be an object");
  EXPECT_EQ(Ask("PATCH", path, R"({"command": "stop", "force": true})").error(),
            "force: unknown field");
}

TEST_F(RoutesTest, LimitsAreBounded) {
  for (const char* limit : {"0", "-1", "1001", "x", "", "1x"}) {
    EXPECT_EQ(Ask("GET", kPipes + "/x/events?limit=" + limit).status, 400) << limit;
  }
  EXPECT_EQ(Ask("GET", kPipes + "/x/events?limit=1000").status, 404);
}

TEST_F(RoutesTest, APipeWhoseSourceIsNotThereIsRefusedAndNothingIsMade) {
  const Answer answer = Ask("POST", kPipes, R"({
    "name": "shop",
    "source": {"mysql": {
      "host": "127.0.0.1", "port": 1, "credentials": {"username": "u", "password": "s3cret"},
      "disableTls": true, "settings": {"replicationMode": "cdc"},
      "tableMappings": [{"sourceSchemaName": "a", "sourceTable": "b", "targetTable": "c"}]}},
    "destination": {"database": "d", "clickhouse": {"url": "http://127.0.0.1:1"}}})");
  EXPECT_EQ(answer.status, 400) << answer.body;
  EXPECT_THAT(answer.error(), HasSubstr("127.0.0.1"));
  EXPECT_EQ(answer.error().find("s3cret"), std::string::npos);
  EXPECT_EQ(Ask("GET", kPipes).body["result"], json::array());
}

TEST_F(RoutesTest, AServerAnswersOnItsPort) {
  const auto server = Server::Start(
      {.port = 0, .organization_id = "org", .service_id = "srv", .supervisor = &supervisor_});
  ASSERT_TRUE(server) << server.error().ToString();
  EXPECT_NE((*server)->port(), 0);
}

}  // namespace
}  // namespace penstock::api
