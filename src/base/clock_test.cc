#include "base/clock.h"

#include <gtest/gtest.h>

#include <thread>

namespace penstock {
namespace {

using namespace std::chrono_literals;

TEST(FormatIso8601, PrintsMilliseconds) {
  EXPECT_EQ(FormatIso8601(0us), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(FormatIso8601(1'706'745'599'123'999us), "2024-01-31T23:59:59.123Z");
  EXPECT_EQ(FormatIso8601(1'709'164'800'000'000us), "2024-02-29T00:00:00.000Z");
  EXPECT_EQ(FormatIso8601(4'102'444'800'005'000us), "2100-01-01T00:00:00.005Z");
  EXPECT_EQ(FormatIso8601(-1us), "1969-12-31T23:59:59.999Z");
}

TEST(Clock, WaitEndsByItself) {
  Clock& clock = Clock::Real();
  const SteadyTime start = clock.Steady();
  EXPECT_TRUE(clock.Wait(5ms, {}));
  EXPECT_GE(clock.Steady() - start, 5ms);
}

TEST(Clock, WaitEndsAtAStop) {
  Clock& clock = Clock::Real();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(clock.Wait(1h, stop.get_token()));
  // The jthread asks for the stop while the wait is under way, or before it.
  std::jthread waiter([&clock](std::stop_token token) { EXPECT_FALSE(clock.Wait(1h, token)); });
}

}  // namespace
}  // namespace penstock
