#pragma once

#include <atomic>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"

namespace penstock::stream {

// Tables that cannot be followed for a reason that is not in the log, on their way to the thread
// that reads it: it fences them. Safe from any thread.
class FenceRequests {
 public:
  struct Request {
    size_t table = 0;  // index into the stream's tables
    Error error;
  };

  void Add(size_t table, Error error) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    requests_.push_back({table, std::move(error)});
    any_ = true;
  }
  std::vector<Request> Take() EXCLUDES(mutex_) {
    if (!any_) return {};
    MutexLock lock(mutex_);
    any_ = false;
    return std::exchange(requests_, {});
  }

 private:
  std::atomic<bool> any_{false};  // cheap to ask for every event
  Mutex mutex_;
  std::vector<Request> requests_ GUARDED_BY(mutex_);
};

}  // namespace penstock::stream
