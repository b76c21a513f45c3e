#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace penstock::snapshot {

// How far the load of a table is, or that of several tables together.
struct LoadFigures {
  uint64_t tables = 0;
  uint64_t tables_done = 0;
  uint64_t partitions = 0;  // planned so far
  uint64_t partitions_done = 0;
  uint64_t partitions_in_flight = 0;
  uint64_t rows = 0;  // of finished partitions, and what is acknowledged of those in flight
  uint64_t rows_estimated = 0;  // never below `rows`; the same when the load has ended
  uint64_t bytes = 0;           // of the column data, as sent
  uint64_t bytes_estimated =
      0;  // as the source stores them; never below `bytes`; the same at the end

  LoadFigures& operator+=(const LoadFigures& other);

  // From 0 to 1, which it reaches when every table is done and not before. Goes back only when rows
  // are taken back. A table counts as a row, so that empty ones count too.
  double share() const;
  // The share in hundredths, rounded down, so that 100.0 is the end.
  double percent() const;
  // nullopt when nothing moves, or nothing is known to be left of a load that has not ended.
  std::optional<std::chrono::seconds> TimeLeft(double rows_per_second) const;
};

// Progress of the load of one table. Safe from any thread.
class LoadProgress {
 public:
  std::atomic<uint64_t> partitions{0};
  std::atomic<uint64_t> partitions_done{0};
  std::atomic<uint64_t> partitions_in_flight{0};
  std::atomic<bool> planned{false};  // `partitions` is final
  std::atomic<bool> abandoned{false};
  SteadyTime begun_at{};  // set by the thread that begins to plan

  bool done() const { return abandoned || (planned && partitions == partitions_done); }

  // What the source guesses, before its first row. The estimates rise with what exceeds them.
  void Estimate(uint64_t rows, uint64_t bytes);
  void Add(uint64_t rows, uint64_t bytes);
  // Of a partition that is to be read again.
  void TakeBack(uint64_t rows, uint64_t bytes);
  // True once, for the first caller after the load has ended.
  bool TakeEnd() { return done() && !end_taken_.exchange(true); }

  LoadFigures figures() const;

 private:
  std::atomic<uint64_t> rows_{0};
  std::atomic<uint64_t> rows_estimated_{0};
  std::atomic<uint64_t> bytes_{0};
  std::atomic<uint64_t> bytes_estimated_{0};
  std::atomic<bool> end_taken_{false};
};

}  // namespace penstock::snapshot
