#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

namespace penstock::snapshot {

// How many rows the next partitions of a table are to have, so that none is read for much longer
// than a budget of time. Safe from any thread.
class PartitionSize {
 public:
  explicit PartitionSize(std::chrono::milliseconds budget) : budget_(budget) {}

  uint64_t Rows(uint64_t rows_max) const {
    return std::clamp<uint64_t>(rows_in_budget_, 1, rows_max);
  }

  // What a partition took. One that was slower than the budget makes the next ones as small as
  // would have fitted; only a faster one lets them grow, since small ones tell little.
  void Took(uint64_t rows, std::chrono::milliseconds duration) {
    if (rows == 0 || duration.count() <= 0) return;
    const double share =
        static_cast<double>(budget_.count()) / static_cast<double>(duration.count());
    constexpr double kRowsMax = 1e15;
    const auto fit = static_cast<uint64_t>(std::min(static_cast<double>(rows) * share, kRowsMax));
    if (duration > budget_ || fit > rows_in_budget_) rows_in_budget_ = fit;
  }

 private:
  const std::chrono::milliseconds budget_;
  std::atomic<uint64_t> rows_in_budget_{std::numeric_limits<uint64_t>::max()};
};

}  // namespace penstock::snapshot
