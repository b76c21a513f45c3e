#include "snapshot/throttle.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "mysql/wire/errors.h"
#include "mysql/wire/replica_lag.h"

namespace penstock::snapshot {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookAgain{500};

double SecondsFor(uint64_t amount, std::optional<uint64_t> per_second) {
  return per_second ? static_cast<double>(amount) / static_cast<double>(*per_second) : 0;
}

Result<uint64_t> ThreadsRunning(mysql::Connection& source, const std::stop_token& stop) {
  PENSTOCK_ASSIGN(const auto rows, source.Query("SHOW GLOBAL STATUS LIKE 'Threads_running'", stop));
  uint64_t running = 0;
  if (rows.size() == 1 && rows[0].size() == 2 && rows[0][1]) {
    const std::string& text = *rows[0][1];
    std::from_chars(text.data(), text.data() + text.size(), running);
  }
  return running;
}

Failure Stopped() { return Fail(ErrorCode::kCancelled, "stopped"); }

}  // namespace

uint64_t Throttle::Quarter(std::optional<uint64_t> per_second) {
  if (!per_second) return std::numeric_limits<uint64_t>::max();
  return std::max<uint64_t>(*per_second / 4, 1);
}

Status Throttle::Pace(uint64_t rows, uint64_t bytes, std::stop_token stop) {
  const double seconds = std::max(SecondsFor(rows, limits_.rows_per_second),
                                  SecondsFor(bytes, limits_.bytes_per_second));
  if (seconds <= 0) return {};
  const SteadyTime now = clock_->Steady();
  SteadyTime until;
  {
    MutexLock lock(mutex_);
    free_at_ = std::max(free_at_, now) + std::chrono::duration_cast<SteadyTime::duration>(
                                             std::chrono::duration<double>(seconds));
    until = free_at_;
  }
  const auto wait = std::chrono::ceil<milliseconds>(until - now);
  if (!clock_->Wait(wait, std::move(stop))) return Stopped();
  return {};
}

Result<std::string> Throttle::Trouble(mysql::Connection& source,
                                      const std::stop_token& stop) const {
  if (limits_.threads_running_max) {
    PENSTOCK_ASSIGN(const uint64_t running, ThreadsRunning(source, stop));
    if (running > *limits_.threads_running_max) {
      return fmt::format("{} threads run at the source, more than snapshotMaxThreadsRunning ({})",
                         running, *limits_.threads_running_max);
    }
  }
  if (!limits_.replica_lag_max) return "";
  const auto lag = mysql::ReplicaLag(source, stop);
  if (!lag && lag.error().native_code == mysql::kErrSpecificAccessDenied) return "";
  PENSTOCK_TRY(lag);
  if (!*lag || **lag <= *limits_.replica_lag_max) return "";
  if (**lag == mysql::kReplicationStopped) return "replication is stopped at the source";
  return fmt::format("the source is {} s behind, more than snapshotMaxReplicaLagSeconds ({})",
                     (*lag)->count(), limits_.replica_lag_max->count());
}

Status Throttle::AwaitCalm(mysql::Connection& source,
                           const std::function<void(const Error*)>& on_busy,
                           std::stop_token stop) const {
  bool was_busy = false;
  while (true) {
    PENSTOCK_ASSIGN(std::string trouble, Trouble(source, stop));
    if (trouble.empty()) break;
    const Error busy{.code = ErrorCode::kRetry,
                     .message = "held back: " + std::move(trouble),
                     .origin = "source",
                     .native_code = 0,
                     .remedy = ""};
    on_busy(&busy);
    was_busy = true;
    if (!clock_->Wait(kLookAgain, stop)) return Stopped();
  }
  if (was_busy) on_busy(nullptr);
  return {};
}

}  // namespace penstock::snapshot
