#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

#include "base/mutex.h"

namespace penstock::cli {

// Turns SIGINT, SIGTERM and SIGHUP into a stop request. Made before any other thread, so that they
// all inherit that these signals are blocked. A second signal ends the process at once.
class Signals {
 public:
  Signals();
  ~Signals();

  std::stop_token stop() const { return stop_.get_token(); }

  // From now on SIGHUP asks for a reload instead, and may come any number of times.
  void TakeHangups() EXCLUDES(mutex_);
  // Waits for one; false: to stop.
  bool AwaitHangup() EXCLUDES(mutex_);

 private:
  void Watch();
  // Whether they are taken.
  bool Hangup() EXCLUDES(mutex_);

  sigset_t signals_{};
  std::stop_source stop_;
  std::stop_source ending_;
  Mutex mutex_;
  CondVar came_;
  bool takes_hangups_ GUARDED_BY(mutex_) = false;
  bool hangup_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace penstock::cli
