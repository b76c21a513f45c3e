#include "pipe/table_retry.h"

#include <algorithm>
#include <utility>

#include "base/backoff.h"
#include "mysql/wire/errors.h"
#include "mysql/wire/start_position.h"
#include "obs/log.h"
#include "pipe/flow_parts.h"

namespace penstock::pipe {
namespace {

// What the stream waits for at most, at rest.
constexpr std::chrono::seconds kMeetingMax{5};

// Before a session that failed is begun again.
constexpr Backoff::Options kPauses = {.first = std::chrono::seconds(1),
                                      .longest = std::chrono::seconds(60)};

// What concerns the server and not the place in its log (a password that was changed, say) may be
// mended while the stream's own session goes on.
bool MayBeMended(const Error& error) {
  const bool of_server =
      error.origin == "source" && error.native_code != 0 && error.native_code != mysql::kErrLogRead;
  return of_server || Passes(error.code);
}

}  // namespace

catalog::FollowedRecord FollowedFrom(const catalog::TableRecord& table,
                                     const model::Position& position) {
  catalog::FollowedRecord followed{.table_id = table.id, .start = position};
  if (table.start && table.start->mechanism == position.mechanism) {
    mysql::Join(followed.start, *table.start);
  }
  const auto& part = table.start_part;
  if (part && !mysql::Reaches(followed.start, part->read_to)) followed.start_part = part;
  return followed;
}

class TableRetry::SessionJournal final : public stream::StreamJournal {
 public:
  explicit SessionJournal(TableRetry& retry) : retry_(retry), journal_(*retry.options_.journal) {}

  Result<stream::VersionRange> ReserveVersions() override { return journal_.ReserveVersions(); }
  Status RecordSending(const stream::Sending& sending) override {
    return journal_.RecordSending(sending);
  }
  Status Acknowledge(const stream::Acknowledged& acknowledged) override {
    PENSTOCK_TRY(journal_.AcknowledgeRetry(acknowledged, retry_.plan_.retried));
    fences_ += acknowledged.fences.size();
    if (fences_ == retry_.plan_.retried.size()) {
      retry_.stop_.request_stop();  // there is nothing left to follow
    } else {
      retry_.OnReached(acknowledged.end);
    }
    return {};
  }
  void CaughtUp() override { retry_.OnReached(std::nullopt); }
  void SourceSeen(const std::optional<stream::SourceLog>& /*log*/) override {}

 private:
  TableRetry& retry_;
  Journal& journal_;
  size_t fences_ = 0;
};

TableRetry::TableRetry(Options options)
    : options_(std::move(options)),
      forward_(options_.stop, [this] { stop_.request_stop(); }),
      thread_([this] { Run(); }) {}

TableRetry::~TableRetry() { Stop(); }

void TableRetry::Stop() {
  stop_.request_stop();
  if (thread_.joinable()) thread_.join();
}

Status TableRetry::Follow() {
  plan_ = {};
  PENSTOCK_ASSIGN(plan_, options_.plan(stop_.get_token()));
  if (plan_.retried.empty()) return {};
  {
    MutexLock lock(mutex_);
    reached_ = plan_.from;
  }
  options_.stream.fence_requests = &fence_requests_;
  options_.stream.lacking = &lacking_;
  SessionJournal journal(*this);
  Status followed = stream::RunStream(
      plan_.tables, {.position = plan_.from, .open = {}, .prepared_unknown = true}, options_.stream,
      &journal, stop_.get_token());
  // What the session retried is over with it.
  options_.stream.on_insert_retry(nullptr);
  options_.stream.on_reread_retry(nullptr);
  return followed;
}

void TableRetry::Run() {
  Backoff backoff(kPauses);
  Status status = Follow();
  while (!status && status.error().code != ErrorCode::kCancelled) {
    LogWarning(options_.stream.pipe_name, "retry: {}", status.error().ToString());
    const bool planned = !plan_.retried.empty();
    const bool given_up = planned && !MayBeMended(status.error()) && GiveUp(status.error());
    if (!given_up) {
      options_.stream.on_log_retry(&status.error());
      if (!options_.stream.clock->Wait(backoff.Next(), stop_.get_token())) break;
    }
    status = given_up ? Status() : Follow();
  }
  if (status) options_.stream.on_log_retry(nullptr);
  {
    MutexLock lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }
  // Tables of another history may wait for this one's end, too.
  const StreamProgress progress = options_.journal->progress();
  if (!options_.stop.stop_requested() &&
      std::ranges::any_of(progress.tables, [](const auto& table) {
        return table.quarantine && table.quarantine->retrying;
      })) {
    options_.rest();
  }
}

bool TableRetry::GiveUp(const Error& error) {
  Error failed = error.In("the log cannot be read again from there");
  failed.remedy = "Resync the table (penstock resync)";
  const Status stored = options_.journal->FailRetry(plan_.retried, failed);
  if (!stored) LogWarning(options_.stream.pipe_name, "retry: {}", stored.error().ToString());
  return stored.has_value();
}

bool TableRetry::HasReached(const model::Position& checkpoint) const {
  return MayReach(checkpoint) && mysql::Reaches(*reached_, checkpoint);
}

bool TableRetry::MayReach(const model::Position& checkpoint) const {
  return reached_ && reached_->mechanism == checkpoint.mechanism;
}

void TableRetry::OnReached(const std::optional<model::Position>& position) {
  {
    MutexLock lock(mutex_);
    if (position) reached_ = *position;
    changed_.notify_all();
    if (asked_ || options_.stream.clock->Steady() < options_.rests_from) return;
    const model::Position checkpoint = options_.journal->position();
    if (MayReach(checkpoint) && !HasReached(checkpoint)) return;
    asked_ = true;
  }
  options_.rest();
}

bool TableRetry::asked() const {
  MutexLock lock(mutex_);
  return asked_;
}

std::optional<model::Position> TableRetry::Meet(const model::Position& checkpoint,
                                                std::stop_token stop) {
  {
    MutexLock lock(mutex_);
    if (asked_ && MayReach(checkpoint)) {
      changed_.wait_for(mutex_, std::move(stop), kMeetingMax,
                        [&]() REQUIRES(mutex_) { return ended_ || HasReached(checkpoint); });
    }
  }
  Stop();
  MutexLock lock(mutex_);
  if (!HasReached(checkpoint)) return std::nullopt;
  return reached_;
}

}  // namespace penstock::pipe
