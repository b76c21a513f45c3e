#pragma once

#include <cstdint>
#include <limits>

#include "base/mutex.h"

namespace penstock {

// Memory that many holders of rows share. Each has a small part for itself, always, and takes more
// while there is some: one that gets none sends what it holds. Counts bytes, allocates none. Safe
// from any thread; outlives its leases.
class MemoryBudget {
 public:
  // What one holder has. Moved with the rows; gives back what it took at its end. One thread at a
  // time.
  class Lease {
   public:
    explicit Lease(MemoryBudget& budget) : budget_(&budget) {}
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&& other) noexcept;
    ~Lease();

    // Takes what is missing to `bytes`, or nothing: whether it is held now. Cheap where it is
    // already.
    bool TryRaiseTo(uint64_t bytes) {
      return bytes <= budget_->own_part_ + taken_ || budget_->TryTake(bytes, taken_);
    }
    // As much of `bytes` as can be had, at least the own part; answers what is held.
    uint64_t RaiseTowards(uint64_t bytes);

   private:
    MemoryBudget* budget_;
    uint64_t taken_ = 0;
  };

  // `bytes` to be shared, beside `own_part` for each lease.
  MemoryBudget(uint64_t bytes, uint64_t own_part) : own_part_(own_part), left_(bytes) {}

  uint64_t left() const EXCLUDES(mutex_);

  static MemoryBudget& Unlimited();

 private:
  // Adds to `taken` until it and the own part hold `bytes`; false when there is not enough.
  bool TryTake(uint64_t bytes, uint64_t& taken) EXCLUDES(mutex_);
  void GiveBack(uint64_t bytes) EXCLUDES(mutex_);

  const uint64_t own_part_;
  mutable Mutex mutex_;
  uint64_t left_ GUARDED_BY(mutex_);
};

}  // namespace penstock
