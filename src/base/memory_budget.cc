#include "base/memory_budget.h"

#include <algorithm>
#include <utility>

namespace penstock {
namespace {

// Taken at a time, so that growing holders seldom meet at the lock.
constexpr uint64_t kStep = 256 << 10;

}  // namespace

MemoryBudget::Lease::Lease(Lease&& other) noexcept
    : budget_(other.budget_), taken_(std::exchange(other.taken_, 0)) {}

MemoryBudget::Lease& MemoryBudget::Lease::operator=(Lease&& other) noexcept {
  std::swap(budget_, other.budget_);
  std::swap(taken_, other.taken_);
  return *this;
}

MemoryBudget::Lease::~Lease() {
  if (taken_ != 0) budget_->GiveBack(taken_);
}

uint64_t MemoryBudget::Lease::RaiseTowards(uint64_t bytes) {
  while (!TryRaiseTo(bytes)) {
    if (bytes <= kStep) break;
    bytes /= 2;
  }
  return budget_->own_part_ + taken_;
}

bool MemoryBudget::TryTake(uint64_t bytes, uint64_t& taken) {
  const uint64_t missing = bytes - own_part_ - taken;
  const uint64_t rounded = (missing + kStep - 1) / kStep * kStep;
  MutexLock lock(mutex_);
  if (missing > left_) return false;
  const uint64_t took = std::min(rounded, left_);
  left_ -= took;
  taken += took;
  return true;
}

void MemoryBudget::GiveBack(uint64_t bytes) {
  MutexLock lock(mutex_);
  left_ += bytes;
}

uint64_t MemoryBudget::left() const {
  MutexLock lock(mutex_);
  return left_;
}

MemoryBudget& MemoryBudget::Unlimited() {
  static MemoryBudget unlimited(std::numeric_limits<uint64_t>::max() / 2, 0);
  return unlimited;
}

}  // namespace penstock
