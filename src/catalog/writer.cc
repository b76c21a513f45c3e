#include "catalog/writer.h"

#include <utility>

namespace penstock::catalog {

Writer::Writer(std::unique_ptr<Sqlite> database)
    : database_(std::move(database)), thread_([this] { Loop(); }) {}

Writer::~Writer() {
  {
    MutexLock lock(mutex_);
    closing_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

Status Writer::Write(Work work) {
  Call call{.work = std::move(work), .outcome = {}};
  MutexLock lock(mutex_);
  waiting_.push_back(&call);
  changed_.notify_all();
  while (!call.done) changed_.wait(mutex_);
  return std::move(call.outcome);
}

void Writer::Loop() {
  for (;;) {
    std::deque<Call*> calls;
    {
      MutexLock lock(mutex_);
      while (waiting_.empty() && !closing_) changed_.wait(mutex_);
      if (waiting_.empty()) return;
      calls.swap(waiting_);
    }
    RunGroup(calls);
    MutexLock lock(mutex_);
    for (Call* call : calls) call->done = true;
    changed_.notify_all();
  }
}

void Writer::RunGroup(const std::deque<Call*>& calls) {
  const Status together = RunTransaction(calls);
  if (together) return;
  if (calls.size() == 1) {
    calls.front()->outcome = together;
    return;
  }
  for (Call* call : calls) {
    const Status alone = RunTransaction({call});
    if (!alone) call->outcome = alone;
  }
}

Status Writer::RunTransaction(const std::deque<Call*>& calls) {
  Status status = database_->Script("BEGIN IMMEDIATE");
  for (auto call = calls.begin(); status && call != calls.end(); ++call) status = RunCall(**call);
  if (status) status = database_->Script("COMMIT");
  // After an error there may or may not be a transaction left; what counts is that none is.
  if (!status && database_->in_transaction()) static_cast<void>(database_->Script("ROLLBACK"));
  return status;
}

Status Writer::RunCall(Call& call) {
  PENSTOCK_TRY(database_->Script("SAVEPOINT call"));
  call.outcome = call.work(*database_);
  if (!database_->in_transaction()) {
    return call.outcome ? Fail(ErrorCode::kInternal, "a catalog write ended its transaction")
                        : call.outcome;
  }
  if (!call.outcome) PENSTOCK_TRY(database_->Script("ROLLBACK TO call"));
  return database_->Script("RELEASE call");
}

}  // namespace penstock::catalog
