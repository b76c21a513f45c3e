#include "pipe/load_watch.h"

#include <fmt/format.h>

#include "obs/log.h"

namespace penstock::pipe {
namespace {

constexpr std::chrono::seconds kLookInterval{1};
constexpr std::chrono::seconds kLogInterval{10};

}  // namespace

std::string ProgressText(const snapshot::LoadFigures& figures, double rows_per_second) {
  const auto left = figures.TimeLeft(rows_per_second);
  return fmt::format(
      "snapshot: {:.1f} %, {} of about {} rows, {:.1f} MB, {:.0f} rows/s, {}; tables {} of {} "
      "loaded, partitions {} loaded and {} being read",
      figures.percent(), figures.rows, figures.rows_estimated,
      static_cast<double>(figures.bytes) / 1e6, rows_per_second,
      left ? fmt::format("about {} s left", left->count()) : "time left unknown",
      figures.tables_done, figures.tables, figures.partitions_done, figures.partitions_in_flight);
}

void LoadWatch::Run(std::stop_token stop) {
  Look(clock_->Steady());
  SteadyTime logged_at = clock_->Steady();
  while (clock_->Wait(kLookInterval, stop)) {
    const SteadyTime now = clock_->Steady();
    Look(now);
    if (now - logged_at < kLogInterval) continue;
    logged_at = now;
    LogInfo(pipe_name_, "{}", ProgressText(figures(), rows_per_second()));
  }
}

snapshot::LoadFigures LoadWatch::figures() const {
  snapshot::LoadFigures all;
  for (size_t i = 0; i < loader_->tables(); ++i) all += loader_->figures(i);
  return all;
}

double LoadWatch::rows_per_second() const {
  MutexLock lock(mutex_);
  return rate_;
}

double LoadWatch::rows_per_second(size_t table) const {
  MutexLock lock(mutex_);
  const auto found = tables_.find(table);
  return found == tables_.end() ? 0 : found->second.rate;
}

void LoadWatch::Look(SteadyTime now) {
  MutexLock lock(mutex_);
  uint64_t rows = 0;
  for (size_t i = 0; i < loader_->tables(); ++i) {
    const snapshot::LoadFigures figures = loader_->figures(i);
    rows += figures.rows;
    if (figures.tables_done != 0) {
      tables_.erase(i);
    } else if (figures.partitions != 0) {
      Table& table = tables_[i];
      table.rate = table.meter.Sample(figures.rows, now);
    }
  }
  rate_ = all_.Sample(rows, now);
}

}  // namespace penstock::pipe
