#include "pipe/attention.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::pipe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> ConcernsOf(const Observed& observed) {
  std::vector<std::string> names;
  for (const auto& attention : AttentionTo(observed, {})) {
    names.emplace_back(ConcernName(attention.concern));
  }
  return names;
}

TEST(AttentionTo, NothingWhileAllIsWell) {
  EXPECT_THAT(ConcernsOf({}), IsEmpty());
  EXPECT_THAT(ConcernsOf({.quarantined = {},
                          .retries = {{"log", "refused", milliseconds(59'999)}},
                          .log_kept = seconds(100),
                          .log_left = seconds(25),
                          .source_answer = milliseconds(2'000),
                          .batch = milliseconds(10'000)}),
              IsEmpty())
      << "at the limits";
}

TEST(AttentionTo, EachBeyondItsLimit) {
  const Observed observed{.quarantined = {"shop.t", "shop.u"},
                          .retries = {{"log", "refused", seconds(60)},
                                      {"inserts", "busy", seconds(10)},
                                      {"snapshot", "gone", seconds(90)}},
                          .log_kept = seconds(100),
                          .log_left = seconds(24),
                          .source_answer = milliseconds(2'001),
                          .batch = milliseconds(10'001)};
  EXPECT_THAT(ConcernsOf(observed),
              ElementsAre("quarantine", "retrying", "retrying", "log_retention", "slow_source",
                          "slow_destination"));
  const auto all = AttentionTo(observed, {});
  EXPECT_EQ(all[0].text, "quarantined: shop.t, shop.u");
  EXPECT_THAT(all[1].text, HasSubstr("refused"));
  EXPECT_THAT(all[3].text, HasSubstr("binlog_expire_logs_seconds"));
}

TEST(AttentionTo, ManyQuarantinedTablesAreCounted) {
  Observed observed;
  for (int i = 0; i < 1000; ++i) observed.quarantined.push_back(fmt::format("shop.t{}", i));
  EXPECT_EQ(AttentionTo(observed, {})[0].text,
            "quarantined: shop.t0, shop.t1, shop.t2, shop.t3, shop.t4, shop.t5, shop.t6, shop.t7, "
            "shop.t8, shop.t9 and 990 more");
}

TEST(AttentionTo, ASlowBatchIsForgottenAfterAWhile) {
  Observed observed;
  observed.batch = seconds(30);
  observed.batch_age = seconds(59);
  EXPECT_THAT(ConcernsOf(observed), ElementsAre("slow_destination"));
  observed.batch_age = seconds(60);
  EXPECT_THAT(ConcernsOf(observed), IsEmpty());
}

TEST(AttentionTo, TheSameTroubleStaysTheSameWithOtherWords) {
  Observed observed;
  observed.retries = {{"log", "refused", seconds(70)}};
  const auto before = AttentionTo(observed, {});
  observed.retries = {{"log", "no route to host", seconds(80)}};
  EXPECT_TRUE(AttentionTo(observed, {})[0].is_same(before[0]));
  observed.retries = {{"inserts", "refused", seconds(80)}};
  EXPECT_FALSE(AttentionTo(observed, {})[0].is_same(before[0]));
}

}  // namespace
}  // namespace penstock::pipe
