#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <stop_token>
#include <utility>

#include "base/mutex.h"

namespace penstock {

// A queue of batches between two threads, bounded by items. Push waits for room, Pop for an item;
// both give up when a stop is requested. After Close, Pop drains what is left and then ends.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t items_max) : items_max_(items_max) {}

  // False when closed or stopped; the item is then destroyed.
  bool Push(T item, std::stop_token stop) EXCLUDES(mutex_) {
    std::stop_callback wake(stop, [this] { Wake(); });
    MutexLock lock(mutex_);
    while (items_.size() >= items_max_ && !closed_ && !stop.stop_requested()) changed_.wait(mutex_);
    if (closed_ || stop.stop_requested()) return false;
    items_.push_back(std::move(item));
    changed_.notify_all();
    return true;
  }

  std::optional<T> Pop(std::stop_token stop) EXCLUDES(mutex_) {
    std::stop_callback wake(stop, [this] { Wake(); });
    MutexLock lock(mutex_);
    while (items_.empty() && !closed_ && !stop.stop_requested()) changed_.wait(mutex_);
    if (items_.empty() || stop.stop_requested()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    changed_.notify_all();
    return item;
  }

  void Close() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

  // Drops what is queued.
  void Clear() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    items_.clear();
    changed_.notify_all();
  }

  size_t size() const EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return items_.size();
  }

 private:
  // Taking the lock orders the wake after a waiter's test of the stop token.
  void Wake() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    changed_.notify_all();
  }

  const size_t items_max_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<T> items_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
};

}  // namespace penstock
