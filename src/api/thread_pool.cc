#include "api/thread_pool.h"

#include <utility>

namespace penstock::api {

void ThreadPool::enqueue(std::function<void()> job) {
  bool crowded = false;
  {
    MutexLock lock(mutex_);
    if (waiting_.size() < options_.waiting_max) {
      waiting_.push_back(std::exchange(job, nullptr));
      if (idle_ < waiting_.size()) {
        crowded = threads_.size() == options_.threads_max;
        if (!crowded) threads_.emplace_back([this] { Work(); });
      }
      changed_.notify_one();
    }
  }
  if (job) options_.refuse(job);
  if (job || crowded) options_.crowded();
}

void ThreadPool::shutdown() {
  std::vector<std::thread> threads;
  {
    MutexLock lock(mutex_);
    closing_ = true;
    threads.swap(threads_);
    changed_.notify_all();
  }
  for (std::thread& thread : threads) thread.join();
}

bool ThreadPool::Crowded() const {
  MutexLock lock(mutex_);
  return waiting_.size() > idle_ && threads_.size() == options_.threads_max;
}

void ThreadPool::Work() {
  for (;;) {
    std::function<void()> job;
    {
      MutexLock lock(mutex_);
      ++idle_;
      while (waiting_.empty() && !closing_) changed_.wait(mutex_);
      --idle_;
      if (waiting_.empty()) return;
      job = std::move(waiting_.front());
      waiting_.pop_front();
    }
    job();
  }
}

}  // namespace penstock::api
