#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "pipe/rate_meter.h"
#include "snapshot/loader.h"

namespace penstock::pipe {

// A load in a line, for the log.
std::string ProgressText(const snapshot::LoadFigures& figures, double rows_per_second);

// Looks at a load once a second while it runs: knows how fast it is, by table and as a whole, and
// writes a line about it to the log every 10 s. Safe from any thread.
class LoadWatch {
 public:
  // `clock` outlives the watch.
  LoadWatch(std::shared_ptr<const snapshot::Loader> loader, std::string pipe_name, Clock* clock)
      : loader_(std::move(loader)), pipe_name_(std::move(pipe_name)), clock_(clock) {}

  // Until stop.
  void Run(std::stop_token stop) EXCLUDES(mutex_);

  // Of all tables.
  snapshot::LoadFigures figures() const;
  double rows_per_second() const EXCLUDES(mutex_);
  double rows_per_second(size_t table) const EXCLUDES(mutex_);

 private:
  void Look(SteadyTime now) EXCLUDES(mutex_);

  const std::shared_ptr<const snapshot::Loader> loader_;
  const std::string pipe_name_;
  Clock* const clock_;
  mutable Mutex mutex_;
  RateMeter all_ GUARDED_BY(mutex_){RateMeter::kLoadWindow};
  double rate_ GUARDED_BY(mutex_) = 0;
  struct Table {
    RateMeter meter{RateMeter::kLoadWindow};
    double rate = 0;
  };
  std::map<size_t, Table> tables_ GUARDED_BY(mutex_);  // those begun and not done
};

}  // namespace penstock::pipe
