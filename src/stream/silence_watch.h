#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/clock.h"
#include "base/status.h"
#include "mysql/wire/connection.h"

namespace penstock::stream {

// Ends a wait for the next event of a log when nothing more will come: the source sends heartbeats,
// so that silence on the wire means a connection that is half open, a proxy that leads nowhere, a
// server that hangs. Looks from a thread of its own. A long event that arrives slowly is no
// silence.
class SilenceWatch {
 public:
  // Both outlive it. `stop` ends the waits, too.
  SilenceWatch(const mysql::Connection& connection, Clock& clock, std::stop_token stop);
  ~SilenceWatch();
  SilenceWatch(const SilenceWatch&) = delete;
  SilenceWatch& operator=(const SilenceWatch&) = delete;

  // To wait with: told to stop by the watch as well.
  std::stop_token token() const { return wait_.get_token(); }
  // Around each wait, from the thread that waits.
  void Waits(SteadyTime since) { waits_since_ = since.time_since_epoch().count(); }
  void WaitsNot();

  bool broke() const { return broke_; }
  Error error() const;  // once it broke a wait

 private:
  void Run(std::stop_token stop);

  const mysql::Connection& connection_;
  Clock& clock_;
  std::stop_source wait_;
  std::stop_callback<std::function<void()>> forward_;
  std::atomic<SteadyTime::rep> waits_since_{0};  // 0: it does not
  std::atomic<bool> anything_came_{false};
  std::atomic<bool> broke_{false};
  std::jthread thread_;
};

}  // namespace penstock::stream
