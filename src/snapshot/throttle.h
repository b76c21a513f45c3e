#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "mysql/wire/connection.h"

namespace penstock::snapshot {

// How far a load may burden the source; what is absent is not limited.
struct ThrottleLimits {
  std::optional<uint64_t> rows_per_second = std::nullopt;
  std::optional<uint64_t> bytes_per_second = std::nullopt;  // of column data
  // Threads that run statements at the source (Threads_running): with more, no partition is begun.
  std::optional<uint64_t> threads_running_max = std::nullopt;
  // Likewise how far the source may be behind the server it replicates. (Nothing is held back where
  // the user may not ask for it.)
  std::optional<std::chrono::seconds> replica_lag_max = std::nullopt;
};

// Holds a load back. Shared by its workers; safe from any thread.
class Throttle {
 public:
  // `clock` outlives the throttle.
  Throttle(ThrottleLimits limits, Clock* clock) : limits_(limits), clock_(clock) {}

  // A block of rows should not be larger, so that the pace is even.
  uint64_t BlockRowsMax() const { return Quarter(limits_.rows_per_second); }
  uint64_t BlockBytesMax() const { return Quarter(limits_.bytes_per_second); }

  // Whether Pace may wait at all.
  bool is_pacing() const { return limits_.rows_per_second || limits_.bytes_per_second; }

  // Waits until what has just been read fits the limits. kCancelled on stop.
  Status Pace(uint64_t rows, uint64_t bytes, std::stop_token stop) EXCLUDES(mutex_);

  // Waits while too many threads run at the source, or it is too far behind. `on_busy` hears why,
  // and nullptr when it is over.
  Status AwaitCalm(mysql::Connection& source, const std::function<void(const Error*)>& on_busy,
                   std::stop_token stop) const;

 private:
  // Why nothing is to be begun; "" when the source is calm.
  Result<std::string> Trouble(mysql::Connection& source, const std::stop_token& stop) const;
  static uint64_t Quarter(std::optional<uint64_t> per_second);

  const ThrottleLimits limits_;
  Clock* const clock_;
  Mutex mutex_;
  SteadyTime free_at_ GUARDED_BY(mutex_) = {};  // when all that was read is within the limits
};

}  // namespace penstock::snapshot
