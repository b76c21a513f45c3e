#include "snapshot/throttle.h"

#include <gtest/gtest.h>

namespace penstock::snapshot {
namespace {

using std::chrono::milliseconds;

// Time passes by waiting only.
class TestClock : public Clock {
 public:
  SteadyTime Steady() const override { return now_; }
  UnixMicros Wall() const override { return {}; }
  bool Wait(milliseconds duration, std::stop_token stop) override {
    if (stop.stop_requested()) return false;
    now_ += duration;
    return true;
  }

 private:
  SteadyTime now_ = SteadyTime(std::chrono::hours(1));
};

milliseconds TimeOf(const ThrottleLimits& limits, uint64_t rows, uint64_t bytes, int times) {
  TestClock clock;
  Throttle throttle(limits, &clock);
  const SteadyTime start = clock.Steady();
  for (int i = 0; i < times; ++i) EXPECT_TRUE(throttle.Pace(rows, bytes, {}));
  return std::chrono::duration_cast<milliseconds>(clock.Steady() - start);
}

TEST(ThrottleTest, TheNarrowerLimitCounts) {
  EXPECT_EQ(TimeOf({}, 1'000'000, 1'000'000, 5), milliseconds(0));
  EXPECT_EQ(TimeOf({.rows_per_second = 100}, 50, 1'000'000, 4), milliseconds(2'000));
  EXPECT_EQ(TimeOf({.bytes_per_second = 1'000}, 1, 500, 3), milliseconds(1'500));
  EXPECT_EQ(TimeOf({.rows_per_second = 100, .bytes_per_second = 1'000}, 10, 500, 2),
            milliseconds(1'000));
}

TEST(ThrottleTest, BlocksAreAQuarterOfASecond) {
  TestClock clock;
  const Throttle throttle({.rows_per_second = 2}, &clock);
  EXPECT_EQ(throttle.BlockRowsMax(), 1U);
  EXPECT_EQ(throttle.BlockBytesMax(), UINT64_MAX);
}

TEST(ThrottleTest, AStopEndsTheWaiting) {
  TestClock clock;
  Throttle throttle({.rows_per_second = 1}, &clock);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(throttle.Pace(100, 0, stop.get_token()).error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace penstock::snapshot
