#include "pipe/deletion.h"

#include <fmt/format.h>

#include <utility>

#include "base/backoff.h"
#include "clickhouse/errors.h"
#include "clickhouse/table_writes.h"
#include "mysql/wire/cut_sessions.h"
#include "obs/log.h"
#include "pipe/whole_load.h"

namespace penstock::pipe {

std::string StatementComment(const std::string& pipe_id) { return "penstock pipe " + pipe_id; }

Deletion::Deletion(Options options)
    : options_(std::move(options)),
      thread_([this](std::stop_token stop) { Run(std::move(stop)); }) {}

Deletion::~Deletion() = default;

bool Deletion::done() const {
  MutexLock lock(mutex_);
  return done_;
}

bool Deletion::AwaitDone(std::chrono::milliseconds longest) {
  MutexLock lock(mutex_);
  return changed_.wait_for(mutex_, longest, [this]() REQUIRES(mutex_) { return done_; });
}

void Deletion::Run(std::stop_token stop) {
  const std::string& name = options_.spec.name;
  // The source ends such sessions by itself before long.
  const Status ended = mysql::EndCutSessions(options_.spec.source, name + " deletion", stop);
  if (!ended) LogWarning(name, "sessions may be left for a while: {}", ended.error().ToString());
  Backoff backoff;
  while (true) {
    const Status status = Try(stop);
    if (status) break;
    if (stop.stop_requested()) return;
    LogWarning(name, "deleted, but for what is left at the destination: {}; trying again",
               status.error().ToString());
    if (!options_.clock->Wait(backoff.Next(), stop)) return;
  }
  MutexLock lock(mutex_);
  done_ = true;
  changed_.notify_all();
}

Status Deletion::Try(std::stop_token stop) {
  catalog::Catalog& catalog = *options_.catalog;
  PENSTOCK_ASSIGN(const auto removals,
                  LocatedRemovals(catalog, options_.pipe_id, options_.embedded_url));
  clickhouse::Client client(options_.destination);
  // A table that is still being made would come after it was dropped.
  Status ended =
      clickhouse::EndStatements(client, StatementComment(options_.pipe_id), *options_.clock, stop);
  if (!ended && ended.error().native_code != clickhouse::kErrAccessDenied) return ended;
  PENSTOCK_ASSIGN(const auto taken, options_.find_taken(TargetsOf(removals)));
  PENSTOCK_ASSIGN(const auto stays,
                  DropRemoved(options_.destination, options_.spec.database, removals, taken, stop));
  for (const std::string& text : stays) LogWarning(options_.spec.name, "{}", text);
  return catalog.DeletePipe(options_.pipe_id);
}

}  // namespace penstock::pipe
