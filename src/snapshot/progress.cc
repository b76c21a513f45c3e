#include "snapshot/progress.h"

#include <algorithm>
#include <cmath>

namespace penstock::snapshot {
namespace {

void RaiseTo(std::atomic<uint64_t>& number, uint64_t least) {
  uint64_t seen = number;
  while (seen < least && !number.compare_exchange_weak(seen, least)) {
  }
}

// Slower is standing still.
constexpr double kRateMin = 0.01;

}  // namespace

LoadFigures& LoadFigures::operator+=(const LoadFigures& other) {
  tables += other.tables;
  tables_done += other.tables_done;
  partitions += other.partitions;
  partitions_done += other.partitions_done;
  partitions_in_flight += other.partitions_in_flight;
  rows += other.rows;
  rows_estimated += other.rows_estimated;
  bytes += other.bytes;
  bytes_estimated += other.bytes_estimated;
  return *this;
}

double LoadFigures::share() const {
  const uint64_t all = rows_estimated + tables;
  if (all == 0) return 0;
  return static_cast<double>(rows + tables_done) / static_cast<double>(all);
}

double LoadFigures::percent() const { return std::floor(share() * 1000) / 10; }

std::optional<std::chrono::seconds> LoadFigures::TimeLeft(double rows_per_second) const {
  if (tables_done == tables) return std::chrono::seconds(0);
  if (rows_estimated <= rows || rows_per_second < kRateMin) return std::nullopt;
  const double seconds = static_cast<double>(rows_estimated - rows) / rows_per_second;
  return std::chrono::seconds(std::llround(std::ceil(seconds)));
}

void LoadProgress::Estimate(uint64_t rows, uint64_t bytes) {
  RaiseTo(rows_estimated_, rows);
  RaiseTo(bytes_estimated_, bytes);
}

void LoadProgress::Add(uint64_t rows, uint64_t bytes) {
  RaiseTo(rows_estimated_, rows_ += rows);
  RaiseTo(bytes_estimated_, bytes_ += bytes);
}

void LoadProgress::TakeBack(uint64_t rows, uint64_t bytes) {
  rows_ -= rows;
  bytes_ -= bytes;
}

LoadFigures LoadProgress::figures() const {
  const bool ended = done();
  LoadFigures figures{.tables = 1,
                      .tables_done = ended ? uint64_t{1} : 0,
                      .partitions = partitions,
                      .partitions_done = partitions_done,
                      .partitions_in_flight = partitions_in_flight,
                      .rows = rows_,
                      .rows_estimated = rows_estimated_,
                      .bytes = bytes_,
                      .bytes_estimated = bytes_estimated_};
  figures.rows_estimated = ended ? figures.rows : std::max(figures.rows, figures.rows_estimated);
  figures.bytes_estimated =
      ended ? figures.bytes : std::max(figures.bytes, figures.bytes_estimated);
  return figures;
}

}  // namespace penstock::snapshot
