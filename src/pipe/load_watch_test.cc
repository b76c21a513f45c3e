#include "pipe/load_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::pipe {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

// Waiting takes no time; after so many waits it is stopped.
class StoppingClock final : public Clock {
 public:
  explicit StoppingClock(int waits) : waits_left_(waits) {}
  SteadyTime Steady() const override { return SteadyTime(now_); }
  UnixMicros Wall() const override { return now_; }
  bool Wait(std::chrono::milliseconds duration, std::stop_token) override {
    now_ += duration;
    return waits_left_-- > 0;
  }

 private:
  UnixMicros now_ = std::chrono::hours(1);
  int waits_left_;
};

std::shared_ptr<const snapshot::Loader> SomeLoader() {
  snapshot::LoadTable table;
  table.rows_estimated = 100;
  table.bytes_estimated = 4'000'000;
  table.partitions = {{.index = 0,
                       .lower = std::nullopt,
                       .upper = std::nullopt,
                       .done = true,
                       .rows = 25,
                       .bytes = 1'500'000}};
  snapshot::LoadTable done;
  done.planned = true;
  return std::make_shared<snapshot::Loader>(std::vector{table, done}, snapshot::LoaderOptions(),
                                            nullptr);
}

TEST(LoadWatchTest, ALineEveryTenSeconds) {
  StoppingClock clock(25);
  LoadWatch watch(SomeLoader(), "shop", &clock);
  testing::internal::CaptureStderr();
  watch.Run({});
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::ranges::count(log, '\n'), 2) << log;
  EXPECT_THAT(log,
              HasSubstr("snapshot: 25.4 %, 25 of about 100 rows, 1.5 MB, 0 rows/s, time left "
                        "unknown; tables 1 of 2 loaded, partitions 1 loaded and 0 being read"));
}

TEST(LoadWatchTest, TheTimeLeftIsSaid) {
  snapshot::LoadFigures figures;
  figures.tables = 1;
  figures.rows = 25;
  figures.rows_estimated = 100;
  EXPECT_THAT(ProgressText(figures, 10), HasSubstr("10 rows/s, about 8 s left"));
}

TEST(RateMeterTest, RowsThatAreTakenBackAreNoRate) {
  RateMeter meter(RateMeter::kLoadWindow);
  const SteadyTime start{};
  EXPECT_EQ(meter.Sample(0, start), 0);
  EXPECT_EQ(meter.Sample(1'000, start + seconds(10)), 100);
  EXPECT_EQ(meter.Sample(0, start + seconds(11)), 0);
  EXPECT_EQ(meter.Sample(4'000, start + seconds(20)), 200);
  // The window moves on.
  EXPECT_EQ(meter.Sample(4'000, start + seconds(60)), 0);
}

}  // namespace
}  // namespace penstock::pipe
