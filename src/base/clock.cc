#include "base/clock.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <condition_variable>
#include <mutex>

namespace penstock {
namespace {

class RealClock final : public Clock {
 public:
  SteadyTime Steady() const override { return std::chrono::steady_clock::now(); }
  UnixMicros Wall() const override {
    return std::chrono::duration_cast<UnixMicros>(
        std::chrono::system_clock::now().time_since_epoch());
  }
  bool Wait(std::chrono::milliseconds duration, std::stop_token stop) override {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    changed.wait_for(lock, stop, duration, [] { return false; });
    return !stop.stop_requested();
  }
};

}  // namespace

Clock& Clock::Real() {
  static RealClock clock;
  return clock;
}

std::string FormatIso8601(UnixMicros time) {
  using namespace std::chrono;
  const auto millis = floor<milliseconds>(time);
  const auto whole = floor<seconds>(millis);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(whole.count()),
                     (millis - whole).count());
}

}  // namespace penstock
