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
// versions that the stream takes after that are above all that were taken here. Whatever a session
// fails by leaves the stream alone: what may pass, or be mended at the source (a password), is told
// as what is retried, and a session of what is on record by then begins after a while.
class TableRetry {
 public:
  // What a session is of.
  struct Plan {
    std::vector<stream::StreamTable> tables;  // the stream's; all but the retried are quarantined
    std::vector<size_t> retried;              // of those; none: nothing is left to follow
    model::Position from;                     // the first of their positions
  };
  struct Options {
    stream::StreamOptions stream;
    std::function<Result<Plan>(std::stop_token)> plan;  // before each session
    Journal* journal = nullptr;                         // the stream's; outlives the retry
    SteadyTime rests_from{};                            // no rest is asked for before
    std::function<void()> rest = [] {};                 // from the session's threads
    std::stop_token stop;                               // as of Stop, but without waiting
  };
  explicit TableRetry(Options options);
  ~TableRetry();  // Stop

  // The stream rests at `checkpoint`, since it was asked to: the retry reads on to there, for a few
  // seconds at most, and is stopped then. Answers where it is when it has come that far. The tables
  // that were fenced again are quarantined, and retried no more.
  std::optional<model::Position> Meet(const model::Position& checkpoint, std::stop_token stop)
      EXCLUDES(mutex_);
  // After Meet.
  const std::vector<size_t>& retried() const { return plan_.retried; }
  // Whether it has asked for a rest.
  bool asked() const EXCLUDES(mutex_);

 private:
  class SessionJournal;

  void Run() EXCLUDES(mutex_);
  // Until Stop, or {}: nothing is left to follow.
  Status Follow() EXCLUDES(mutex_);
  // For good: whether that is on record.
  bool GiveUp(const Error& error);
  void Stop();
  // nullopt: it is where it was.
  void OnReached(const std::optional<model::Position>& position) EXCLUDES(mutex_);
  bool HasReached(const model::Position& checkpoint) const REQUIRES(mutex_);
  // Where the stream follows by another mechanism by now, the two never meet.
  bool MayReach(const model::Position& checkpoint) const REQUIRES(mutex_);

  Options options_;
  stream::FenceRequests fence_requests_;
  stream::Lacking lacking_;
  Plan plan_;  // of the session that is, or was last
  std::stop_source stop_;
  const std::stop_callback<std::function<void()>> forward_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::optional<model::Position> reached_ GUARDED_BY(mutex_);  // nullopt: it has not begun
  bool asked_ GUARDED_BY(mutex_) = false;
  bool ended_ GUARDED_BY(mutex_) = false;
  std::jthread thread_;  // last: starts when all else is there
};

}  // namespace penstock::pipe
