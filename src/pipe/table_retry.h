#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "pipe/journal.h"
#include "stream/stream.h"

namespace penstock::pipe {

// Where a table is followed from when all before `position` is there, and what its record says.
catalog::FollowedRecord FollowedFrom(const catalog::TableRecord& table,
                                     const model::Position& position);

// Follows quarantined tables, from where they were left, in a log session of their own beside the
// pipe's stream, on threads of its own. The tables stay quarantined, and their positions move. Once
// it has come as far as the stream, the stream is asked to rest, so that the two can meet: the
// versions that the stream takes after that are above all that were taken here.
class TableRetry {
 public:
  struct Options {
    stream::StreamOptions stream;
    std::vector<stream::StreamTable> tables;  // the stream's; all but the retried are quarantined
    std::vector<size_t> retried;              // of those; one at least
    model::Position from;                     // the first of their positions
    Journal* journal = nullptr;               // the stream's; outlives the retry
    std::function<Status(std::stop_token)> prepare = [](auto) { return Status(); };  // first
    SteadyTime rests_from{};             // no rest is asked for before
    std::function<void()> rest = [] {};  // from the session's threads
    std::stop_token stop;                // as of Stop, but without waiting
  };
  explicit TableRetry(Options options);
  ~TableRetry();  // Stop

  // The stream rests at `checkpoint`, since it was asked to: the retry reads on to there, for a few
  // seconds at most, and is stopped then. Answers where it is when it has come that far. The tables
  // that were fenced again are quarantined, and retried no more.
  std::optional<model::Position> Meet(const model::Position& checkpoint, std::stop_token stop)
      EXCLUDES(mutex_);
  const std::vector<size_t>& retried() const { return options_.retried; }
  // Whether it has asked for a rest.
  bool asked() const EXCLUDES(mutex_);

 private:
  class SessionJournal;

  void Run() EXCLUDES(mutex_);
  Status Follow();
  void Stop();
  // After a failure, until the stream may be asked to rest, or Stop.
  void WaitForNext();
  // nullopt: it is where it was.
  void OnReached(const std::optional<model::Position>& position) EXCLUDES(mutex_);
  bool HasReached(const model::Position& checkpoint) const REQUIRES(mutex_);

  Options options_;
  stream::FenceRequests fence_requests_;
  stream::Lacking lacking_;
  std::stop_source stop_;
  const std::stop_callback<std::function<void()>> forward_;
  mutable Mutex mutex_;
  CondVar changed_;
  model::Position reached_ GUARDED_BY(mutex_);
  bool asked_ GUARDED_BY(mutex_) = false;
  bool ended_ GUARDED_BY(mutex_) = false;
  std::jthread thread_;  // last: starts when all else is there
};

}  // namespace penstock::pipe
