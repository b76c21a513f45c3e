#include <fmt/format.h>

#include <algorithm>

#include "obs/log.h"
#include "pipe/runner.h"

// Why a pipe that runs is Degraded.

namespace penstock::pipe {
namespace {

constexpr std::chrono::milliseconds kLookInterval{500};

bool Runs(State state) { return state == State::kRunning || state == State::kDegraded; }

}  // namespace

void Runner::WatchAttention(std::stop_token stop) {
  while (options_.clock->Wait(kLookInterval, stop)) DegradeIfRunning();
}

Observed Runner::Observe() const {
  Observed observed;
  for (const auto& [part, retrying] : retrying_) {
    observed.retries.push_back({.part = part,
                                .error = retrying.error,
                                .lasts = std::chrono::duration_cast<std::chrono::milliseconds>(
                                    options_.clock->Steady() - retrying.since)});
  }
  if (!journal_) return observed;
  for (const size_t table : journal_->quarantined()) {
    observed.quarantined.push_back(tables_->at(table).definition.name.ToString());
  }
  const StreamSummary summary = journal_->summary();
  if (summary.source) observed.log_kept = summary.source->retention;
  observed.log_left = summary.retention_left();
  observed.source_answer = summary.source_answer;
  observed.batch = summary.last_batch_duration;
  observed.batch_age = summary.last_batch_age;
  return observed;
}

// What cannot be stored now (a full disk) is shown all the same, and stored at the next look.
// Another text for the same is no news.
void Runner::DegradeIfRunning() {
  MutexLock lock(mutex_);
  const bool running =
      Runs(lifecycle_.state) || (lifecycle_.state == State::kPausing && Runs(lifecycle_.resume));
  if (!running) return;
  std::vector<Attention> found = AttentionTo(Observe(), options_.attention);
  const bool same = std::ranges::equal(found, attention_,
                                       [](const auto& a, const auto& b) { return a.is_same(b); });
  const bool is_degraded = lifecycle_.resume == State::kDegraded;
  Status stored;
  if (found.empty() && is_degraded) {
    stored = TransitLocked(Event::kRecovered, "nothing needs attention any more");
  } else if (!found.empty() && !(same && is_degraded)) {
    stored = TransitLocked(Event::kDegraded, ReasonOf(found));
  }
  if (!stored && !same) LogWarning(spec_.name, "{}", stored.error().ToString());
  attention_ = std::move(found);
}

State Runner::ShownState() const {
  const bool degraded = lifecycle_.state == State::kRunning && !attention_.empty();
  return degraded ? State::kDegraded : lifecycle_.state;
}

}  // namespace penstock::pipe
