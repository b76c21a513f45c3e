#include "pipe/table_retry.h"

#include <algorithm>
#include <utility>

#include "mysql/wire/errors.h"
#include "mysql/wire/start_position.h"
#include "obs/log.h"
#include "pipe/flow_parts.h"

namespace penstock::pipe {
namespace {

// What the stream waits for at most, at rest.
constexpr std::chrono::seconds kMeetingMax{5};

// Before a session that failed for a while is begun again, with the stream.
constexpr std::chrono::seconds kPause{10};

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
    PENSTOCK_TRY(journal_.AcknowledgeRetry(acknowledged, retry_.options_.retried));
    fences_ += acknowledged.fences.size();
    if (fences_ == retry_.options_.retried.size()) {
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
      reached_(options_.from),
      thread_([this] { Run(); }) {}

TableRetry::~TableRetry() { Stop(); }

void TableRetry::Stop() {
  stop_.request_stop();
  if (thread_.joinable()) thread_.join();
}

Status TableRetry::Follow() {
  PENSTOCK_TRY(options_.prepare(stop_.get_token()));
  options_.stream.fence_requests = &fence_requests_;
  options_.stream.lacking = &lacking_;
  SessionJournal journal(*this);
  return stream::RunStream(options_.tables,
                           {.position = options_.from, .open = {}, .prepared_unknown = true},
                           options_.stream, &journal, stop_.get_token());
}

// What concerns the server and not the place in its log (a password that was changed, say) ends the
// pipe's stream as well, and the retry goes on with that.
void TableRetry::Run() {
  const auto status = Follow();
  const Error& error = status.error();
  const std::string& name = options_.stream.pipe_name;
  const bool of_server =
      error.origin == "source" && error.native_code != 0 && error.native_code != mysql::kErrLogRead;
  const bool asked_to = error.code == ErrorCode::kCancelled;
  if (!asked_to) LogWarning(name, "retry: {}", error.ToString());
  bool again = !asked_to && (of_server || Passes(error.code));
  if (!asked_to && !again) {
    Error failed = error.In("the log cannot be read again from there");
    failed.remedy = "Resync the table (penstock resync)";
    const Status stored = options_.journal->FailRetry(options_.retried, failed);
    if (!stored) LogWarning(name, "retry: {}", stored.error().ToString());
    again = !stored;
  }
  if (again) {
    options_.stream.on_log_retry(&error);
    WaitForNext();
  }
  {
    MutexLock lock(mutex_);
    ended_ = true;
    asked_ = asked_ || again;
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

void TableRetry::WaitForNext() {
  const auto until_rest = options_.rests_from - options_.stream.clock->Steady();
  const auto pause = std::max(std::chrono::ceil<std::chrono::milliseconds>(until_rest),
                              std::chrono::milliseconds(kPause));
  options_.stream.clock->Wait(pause, stop_.get_token());
}

bool TableRetry::HasReached(const model::Position& checkpoint) const {
  return reached_.mechanism == checkpoint.mechanism && mysql::Reaches(reached_, checkpoint);
}

void TableRetry::OnReached(const std::optional<model::Position>& position) {
  {
    MutexLock lock(mutex_);
    if (position) reached_ = *position;
    changed_.notify_all();
    if (asked_ || options_.stream.clock->Steady() < options_.rests_from) return;
    const model::Position checkpoint = options_.journal->position();
    // Where the stream follows by another mechanism by now, the two never meet.
    if (reached_.mechanism == checkpoint.mechanism && !HasReached(checkpoint)) return;
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
    if (asked_) {
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
