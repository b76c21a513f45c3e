#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <thread>

#include "base/mutex.h"
#include "base/status.h"
#include "catalog/sqlite.h"

namespace penstock::catalog {

// The one thread that writes. All calls that wait when it gets round to them share a transaction,
// and so one wait for the disk; each has a savepoint, so one that fails takes back only itself.
// Safe from any thread.
class Writer {
 public:
  // What a call does. May run more than once (when the shared transaction broke it runs again in
  // one of its own), each time on a database without the effects of the times before.
  using Work = std::function<Status(Sqlite&)>;

  explicit Writer(std::unique_ptr<Sqlite> database);
  ~Writer();  // calls that wait are still done

  // Returns when the work is durable, or undone with its error.
  Status Write(Work work) EXCLUDES(mutex_);

 private:
  struct Call {
    Work work;
    Status outcome;
    bool done = false;
  };
  void Loop() EXCLUDES(mutex_);
  void RunGroup(const std::deque<Call*>& calls);
  // An error means that the whole transaction is gone.
  Status RunTransaction(const std::deque<Call*>& calls);
  Status RunCall(Call& call);

  const std::unique_ptr<Sqlite> database_;  // used by the thread alone
  Mutex mutex_;
  CondVar changed_;
  std::deque<Call*> waiting_ GUARDED_BY(mutex_);
  bool closing_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace penstock::catalog
