#pragma once

#include <httplib.h>

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace penstock::api {

// The threads on which httplib serves connections: made as they are needed, up to a limit.
class ThreadPool final : public httplib::TaskQueue {
 public:
  struct Options {
    size_t threads_max;
    size_t waiting_max;
    std::function<void()> crowded;  // called when a job has to wait for a thread
    // Called, with the job, when too many wait: it has to get rid of it at once.
    std::function<void(const std::function<void()>& job)> refuse;
  };
  explicit ThreadPool(Options options) : options_(std::move(options)) {}

  void enqueue(std::function<void()> job) override EXCLUDES(mutex_);
  void shutdown() override EXCLUDES(mutex_);  // jobs that wait are still done

  // Whether a job waits that no thread is free for, nor may be made for.
  bool Crowded() const EXCLUDES(mutex_);

 private:
  void Work() EXCLUDES(mutex_);

  const Options options_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> waiting_ GUARDED_BY(mutex_);
  size_t idle_ GUARDED_BY(mutex_) = 0;
  bool closing_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_ GUARDED_BY(mutex_);
};

}  // namespace penstock::api
