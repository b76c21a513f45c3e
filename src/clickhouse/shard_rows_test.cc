#include "clickhouse/shard_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "clickhouse/fake_server.h"

namespace penstock::clickhouse {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

// Waits take no time but by this clock.
class WaitingClock final : public Clock {
 public:
  SteadyTime Steady() const override { return now_; }
  UnixMicros Wall() const override { return {}; }
  bool Wait(std::chrono::milliseconds duration, std::stop_token) override {
    now_ += duration;
    return true;
  }
  SteadyTime::duration waited() const { return now_.time_since_epoch(); }

 private:
  SteadyTime now_;
};

// Deletes the rows of a shard while a mutation has these reasons to fail, one a look, then the last
// for good; with "" it ends.
Status DeleteWhile(std::deque<std::string> reasons, WaitingClock& clock) {
  FakeServer server([&](FakeServer::Connection& connection) {
    while (const auto request = connection.ReadRequest()) {
      const bool looks = request->body.find("latest_fail_reason") != std::string::npos;
      const std::string reason = looks ? reasons.front() : "";
      connection.Reply(200, reason.empty() ? "" : reason + "\n");
      if (looks && reasons.size() > 1) reasons.pop_front();
    }
  });
  Client client({.url = server.url(), .idle_timeout = seconds(60)});
  return DeleteShard(client, "d", "t", {.schema = "s", .table = "t"}, clock, {});
}

TEST(DeleteShardTest, WaitsForWhatMayPass) {
  WaitingClock clock;
  const Status done = DeleteWhile({"Code: 499. DB::Exception: S3", "Code: 9999. x", ""}, clock);
  EXPECT_TRUE(done) << done.error().ToString();
}

TEST(DeleteShardTest, DoesNotWaitForLongWhereNobodyKnows) {
  WaitingClock clock;
  const Status done = DeleteWhile({"Code: 499. DB::Exception: S3"}, clock);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kNeedsUser);
  EXPECT_THAT(done.error().remedy, HasSubstr("KILL MUTATION"));
  EXPECT_GE(clock.waited(), seconds(10));
  EXPECT_LT(clock.waited(), seconds(20));
}

TEST(DeleteShardTest, DoesNotWaitForWhatIsKnown) {
  WaitingClock clock;
  EXPECT_EQ(DeleteWhile({"Code: 395. DB::Exception: x"}, clock).error().code,
            ErrorCode::kNeedsUser);
  EXPECT_EQ(DeleteWhile({"Code: 241. DB::Exception: x"}, clock).error().code, ErrorCode::kRetry);
  EXPECT_EQ(clock.waited(), seconds(0));
}

}  // namespace
}  // namespace penstock::clickhouse
