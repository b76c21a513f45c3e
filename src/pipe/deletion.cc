#include "pipe/deletion.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/backoff.h"
#include "clickhouse/errors.h"
#include "clickhouse/table_writes.h"
#include "mysql/wire/cut_sessions.h"
#include "obs/log.h"
#include "pipe/removals.h"
#include "pipe/setup.h"
#include "pipe/target_tables.h"

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
  const auto find_kept =
      [&](const std::vector<catalog::RemovalRecord>& removals) -> Result<TakenTargets> {
    PENSTOCK_ASSIGN(auto kept, options_.others.find_kept(spec, removals));
    PENSTOCK_TRY(AddUnlike(removals, kept, stop));
    return kept;
  };
  PENSTOCK_ASSIGN(
      const auto waiting,
      DoRemovals({.catalog = options_.catalog,
                  .pipe_id = options_.pipe_id,
                  .spec = spec,
                  .destination = options_.destination,
                  .embedded_url = options_.embedded_url,
                  .find_kept = find_kept,
                  .tell = [&](const std::string& text) { LogWarning(spec.name, "{}", text); }},
                 stop));
  for (const std::string& place : waiting) {
    LogWarning(spec.name, "deleted, but for what is left at the destination: {}", WaitsFor(place));
  }
  return waiting.empty() ? options_.catalog->DeletePipe(options_.pipe_id) : Status();
}

// Where it is not known which server a target was at, a table of its name stays unless it is as the
// pipe would have made it.
Status Deletion::AddUnlike(const std::vector<catalog::RemovalRecord>& removals, TakenTargets& kept,
                           std::stop_token stop) const {
  const PipeSpec& spec = options_.spec;
  if (spec.clickhouse) return {};
  PENSTOCK_ASSIGN(const auto records, options_.catalog->Tables(options_.pipe_id));
  clickhouse::Client client(options_.destination);
  for (size_t i = 0; i < records.size() && i < spec.tables.size(); ++i) {
    const auto removal =
        std::ranges::find(removals, records[i].target, &catalog::RemovalRecord::target);
    if (removal == removals.end() || !removal->url.empty() || !removal->drop_target) continue;
    PENSTOCK_ASSIGN(const auto there,
                    ReadExistingTables(client, spec.database, {removal->target}, stop));
    if (there.empty()) continue;
    const auto target = TargetTable(spec, spec.tables[i], records[i].definition);
    PENSTOCK_ASSIGN(const bool is_like,
                    target ? HasShape(client, *target, stop) : Result<bool>(false));
    if (is_like) continue;
    kept.emplace(removal->target, Error{.message = "it is not as the pipe made its own"});
  }
  return {};
}

}  // namespace penstock::pipe
