#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

// Annotations that clang's -Wthread-safety checks; nothing with other compilers.
#if defined(__clang__)
#define PENSTOCK_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define PENSTOCK_THREAD_ANNOTATION(x)
#endif
#define GUARDED_BY(x) PENSTOCK_THREAD_ANNOTATION(guarded_by(x))
#define REQUIRES(...) PENSTOCK_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) PENSTOCK_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))

namespace penstock {

// std::mutex with annotations.
class PENSTOCK_THREAD_ANNOTATION(capability("mutex")) Mutex {
 public:
  void lock() PENSTOCK_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
  void unlock() PENSTOCK_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class PENSTOCK_THREAD_ANNOTATION(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) PENSTOCK_THREAD_ANNOTATION(acquire_capability(mutex))
      : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() PENSTOCK_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits are on the Mutex itself, which the caller holds: `while (!condition) changed.wait(mutex)`.
using CondVar = std::condition_variable_any;

}  // namespace penstock
