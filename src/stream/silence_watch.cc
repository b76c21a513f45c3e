#include "stream/silence_watch.h"

#include <utility>

namespace penstock::stream {
namespace {

constexpr std::chrono::milliseconds kInterval{1'000};
constexpr std::chrono::seconds kSilenceMax{15};
// The server first looks for the place in its log, and sends nothing meanwhile.
constexpr std::chrono::seconds kSearchMax{45};

}  // namespace

SilenceWatch::SilenceWatch(const mysql::Connection& connection, Clock& clock, std::stop_token stop)
    : connection_(connection),
      clock_(clock),
      forward_(std::move(stop), [this] { wait_.request_stop(); }),
      thread_([this](std::stop_token stopped) { Run(std::move(stopped)); }) {}

SilenceWatch::~SilenceWatch() = default;

void SilenceWatch::WaitsNot() {
  waits_since_ = 0;
  anything_came_ = true;
}

void SilenceWatch::Run(std::stop_token stop) {
  while (clock_.Wait(kInterval, stop)) {
    const SteadyTime::rep since = waits_since_;
    if (since == 0) continue;
    const auto limit = anything_came_ ? kSilenceMax : kSearchMax;
    const auto waited = clock_.Steady().time_since_epoch() - SteadyTime::duration(since);
    const auto silent = connection_.Silence();
    if (waited < limit || !silent || *silent < limit) continue;
    broke_ = true;
    wait_.request_stop();
    return;
  }
}

Error SilenceWatch::error() const {
  return {.code = ErrorCode::kRetry,
          .message = fmt::format("the source has sent nothing for {} s, not even a heartbeat",
                                 (anything_came_ ? kSilenceMax : kSearchMax).count()),
          .origin = "source",
          .native_code = 0,
          .remedy = ""};
}

}  // namespace penstock::stream
