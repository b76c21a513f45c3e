#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

#include "base/clock.h"

namespace penstock::pipe {

// Rows per second over the last seconds, from a total that is looked at now and then.
class RateMeter {
 public:
  static constexpr std::chrono::seconds kWindow{5};
  static constexpr std::chrono::seconds kLoadWindow{30};  // steady enough to tell the time left

  explicit RateMeter(std::chrono::seconds window = kWindow) : window_(window) {}

  // `total` as it is now; may go back (a partition is read again), which counts as nothing.
  double Sample(uint64_t total, SteadyTime now) {
    if (samples_.empty() || now - samples_.back().at >= kSpacing) samples_.push_back({now, total});
    while (samples_.size() > 2 && now - samples_.front().at > window_) samples_.pop_front();
    const Point& first = samples_.front();
    const double seconds = std::chrono::duration<double>(now - first.at).count();
    if (seconds <= 0 || total <= first.total) return 0;
    return static_cast<double>(total - first.total) / seconds;
  }

 private:
  static constexpr std::chrono::milliseconds kSpacing{500};
  struct Point {
    SteadyTime at;
    uint64_t total;
  };
  std::chrono::seconds window_;
  std::deque<Point> samples_;
};

}  // namespace penstock::pipe
