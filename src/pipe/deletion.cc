#include "pipe/deletion.h"

#include <fmt/format.h>

#include <utility>

#include "base/backoff.h"
#include "clickhouse/errors.h"
#include "clickhouse/table_writes.h"
#include "mysql/wire/cut_sessions.h"
#include "obs/log.h"
#include "pipe/removals.h"

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

bool Deletion::AwaitDone(std::chrono::milliseconds longest, std::stop_token stop) {
  MutexLock lock(mutex_);
  return changed_.wait_for(mutex_, std::move(stop), longest,
                           [this]() REQUIRES(mutex_) { return done_; });
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
  clickhouse::Client client(options_.destination);
  // A table that is still being made would come after it was dropped.
  Status ended =
      clickhouse::EndStatements(client, StatementComment(options_.pipe_id), *options_.clock, stop);
  if (!ended && ended.error().native_code != clickhouse::kErrAccessDenied) return ended;
  const PipeSpec& spec = options_.spec;
  PENSTOCK_ASSIGN(
      const auto waiting,
      FinishRemovals(
          {.catalog = options_.catalog,
           .pipe_id = options_.pipe_id,
           .spec = spec,
           .destination = options_.destination,
           .embedded_url = options_.embedded_url,
           .find_kept =
               [&](const auto& removals) { return options_.others.find_kept(spec, removals); },
           .tell = [&](const std::string& text) { LogWarning(spec.name, "{}", text); }},
          stop));
  for (const std::string& place : waiting) {
    LogWarning(spec.name, "deleted, but for what is left at the destination: {}", WaitsFor(place));
  }
  return waiting.empty() ? options_.catalog->DeletePipe(options_.pipe_id) : Status();
}

}  // namespace penstock::pipe
