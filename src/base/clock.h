#pragma once

#include <chrono>
#include <stop_token>
#include <string>

namespace penstock {

using SteadyTime = std::chrono::steady_clock::time_point;
using UnixMicros = std::chrono::microseconds;  // since 1970-01-01T00:00:00Z

// The only way to the time and to waiting outside base/. Safe from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual SteadyTime Steady() const = 0;
  virtual UnixMicros Wall() const = 0;
  // Returns after `duration`, or at once when a stop is requested (false).
  virtual bool Wait(std::chrono::milliseconds duration, std::stop_token stop) = 0;

  static Clock& Real();
};

// "2026-01-31T23:59:59.123Z"
std::string FormatIso8601(UnixMicros time);

}  // namespace penstock
