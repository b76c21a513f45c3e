#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "clickhouse/client.h"
#include "pipe/spec.h"
#include "pipe/target_owners.h"

namespace penstock::pipe {

// The log_comment of what a pipe runs at the destination.
std::string StatementComment(const std::string& pipe_id);

// What is left to do for a pipe that is deleted (Catalog::BeginDeletion): what it has running at
// both servers is ended, then its removals are done and the catalog forgets it, unless some wait
// for a process that has another destination. Goes on by itself for as long as ClickHouse is away;
// the next process begins it again. Safe from any thread.
class Deletion {
 public:
  struct Options {
    catalog::Catalog* catalog = nullptr;  // outlives it
    Clock* clock = &Clock::Real();
    std::string pipe_id;
    PipeSpec spec;
    clickhouse::Endpoint destination;
    std::string embedded_url;  // as Runner::Options
    OtherPipes others;
  };
  explicit Deletion(Options options);
  ~Deletion();  // stops where it is

  const Options& options() const { return options_; }
  bool done() const EXCLUDES(mutex_);
  // Whether it is done by then.
  bool AwaitDone(std::chrono::milliseconds longest, std::stop_token stop) EXCLUDES(mutex_);

 private:
  void Run(std::stop_token stop);
  Status Try(std::stop_token stop);
  Status AddUnlike(const std::vector<catalog::RemovalRecord>& removals, TakenTargets& kept,
                   std::stop_token stop) const;

  const Options options_;
  mutable Mutex mutex_;
  CondVar changed_;
  bool done_ GUARDED_BY(mutex_) = false;
  std::jthread thread_;  // last: starts when all else is there
};

}  // namespace penstock::pipe
