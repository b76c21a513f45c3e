#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

namespace penstock::cli {

// Turns SIGINT and SIGTERM into a stop request. Made before any other thread, so that they all
// inherit that these signals are blocked. A second signal ends the process at once.
class StopOnSignals {
 public:
  StopOnSignals();
  ~StopOnSignals();

  std::stop_token token() const { return stop_.get_token(); }

 private:
  void Watch();

  sigset_t signals_{};
  std::stop_source stop_;
  std::stop_source ending_;
  std::thread thread_;
};

}  // namespace penstock::cli
