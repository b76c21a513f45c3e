#include "cli/api_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "api/http_server.h"
#include "base/check.h"

namespace penstock::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// A server whose GETs are answered, and whose changes only at the end of the test.
class ApiClientTest : public testing::Test {
 protected:
  ApiClientTest() {
    auto server = api::HttpServer::Start(
        {.host = "127.0.0.1",
         .port = 0,
         .admit = [](const auto&) { return std::nullopt; },
         .handle =
             [this](const api::HttpRequest& request) {
               if (request.method != "GET" || request.path.ends_with("/slow")) held_.wait();
               return api::HttpResponse{.body = R"({"result": [{"id": "1"}]})"};
             },
         .error = [](const auto& refusal) { return api::HttpResponse{.status = refusal.status}; }});
    PENSTOCK_CHECK(server.has_value());
    server_ = *std::move(server);
    url_ = fmt::format("http://127.0.0.1:{}", server_->port());
  }
  ~ApiClientTest() override { release_.set_value(); }

  ApiClient Client() {
    return ApiClient({.url = url_, .timeout = std::chrono::seconds(1)}, std::stop_token());
  }

  std::promise<void> release_;
  std::shared_future<void> held_{release_.get_future()};
  std::string url_;
  std::unique_ptr<api::HttpServer> server_;
};

TEST_F(ApiClientTest, AnOrderThatIsNotAnsweredMayStillBeCarriedOut) {
  const auto changed = Client().Patch("/clickpipes/1", json::object());
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, ErrorCode::kUnknownOutcome);
  EXPECT_THAT(changed.error().ToString(), HasSubstr(url_ + " did not answer in 1 s"));
  EXPECT_THAT(changed.error().ToString(), HasSubstr("may still be carried out"));
}

TEST_F(ApiClientTest, AQuestionThatIsNotAnsweredChangesNothing) {
  const auto asked = Client().Get("/slow");
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().code, ErrorCode::kRetry);
  EXPECT_THAT(asked.error().ToString(), HasSubstr("did not answer"));
}

TEST_F(ApiClientTest, AServerThatIsNotThereIsSaid) {
  const auto asked = ApiClient({.url = "http://127.0.0.1:1"}, std::stop_token()).Get("/clickpipes");
  ASSERT_FALSE(asked);
  EXPECT_THAT(asked.error().ToString(), HasSubstr("penstock serve"));
}

}  // namespace
}  // namespace penstock::cli
