#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>

namespace penstock::stream {

// How long rows are gathered at least, so that ClickHouse is not given more inserts than it can
// merge: a batch is one insert a table. Beyond the limit of bytes nothing is held back. One thread
// reads, another writes.
class Brake {
 public:
  std::chrono::milliseconds interval() const { return interval_.load(); }
  // An insert was refused since the table has too many parts.
  void TooManyParts() { interval_ = std::clamp(2 * interval(), kFirst, kLongest); }
  // A batch was written, however often it was refused before.
  void Wrote() { interval_ = interval() < 2 * kLeast ? kLeast : interval() / 2; }

 private:
  static constexpr std::chrono::milliseconds kLeast{50};  // 20 inserts a second and table
  static constexpr std::chrono::milliseconds kFirst{2'000};
  static constexpr std::chrono::milliseconds kLongest{60'000};

  std::atomic<std::chrono::milliseconds> interval_{kLeast};
};

}  // namespace penstock::stream
