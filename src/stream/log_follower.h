#pragma once

#include <memory>
#include <stop_token>

#include "base/bounded_queue.h"
#include "base/status.h"
#include "mysql/binlog/event.h"
#include "mysql/wire/connection.h"
#include "stream/assembler.h"
#include "stream/batch.h"
#include "stream/brake.h"
#include "stream/silence_watch.h"
#include "stream/source_check.h"
#include "stream/stream.h"

namespace penstock::stream {

// Reads the log over one connection, made anew when it is lost, and pushes batches. One thread.
class LogFollower {
 public:
  // All outlive the follower.
  LogFollower(Assembler& assembler, const StreamOptions& options, BoundedQueue<Batch>& batches,
              const Brake& brake, std::function<void()> on_idle);

  // Until stop (kCancelled) or an error that does not pass; what was whole before it is pushed.
  Status Run(std::stop_token stop);

 private:
  // One log session; without an error: the next is to begin at once.
  Status FollowOnce(std::stop_token stop);
  Result<binlog::Event> NextEvent(mysql::Connection& connection, binlog::EventParser& parser,
                                  SilenceWatch& watch);
  Status Consume(const binlog::Event& event);
  Status AfterEvent(std::stop_token stop);
  // Pushes a batch when one is due and there is room; waits for room only at the byte limit.
  Status PushIfDue(std::stop_token stop);
  bool IsFull();
  void CountFetched(uint64_t rows);
  Status Push(std::stop_token stop);
  std::chrono::milliseconds HeartbeatPeriod() const;

  Assembler& assembler_;
  const StreamOptions& options_;
  SourceCheck source_check_;
  BoundedQueue<Batch>& batches_;
  const Brake& brake_;
  std::function<void()> on_idle_;
  MemoryBudget::Lease memory_;      // for the rows of the next batch
  SteadyTime::duration reading_{};  // of the rows that are not pushed
  SteadyTime::duration decoding_{};
  uint64_t fetched_bytes_ = 0;  // not counted yet
  SteadyTime pushed_at_;
  std::optional<SteadyTime> rows_pushed_at_;  // after a while without, a row goes at once
  model::Position pushed_position_;
  bool connected_ = false;  // an event arrived since the last failure
};

}  // namespace penstock::stream
