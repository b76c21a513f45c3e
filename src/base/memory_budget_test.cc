#include "base/memory_budget.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace penstock {
namespace {

constexpr uint64_t kMebibyte = 1 << 20;

TEST(MemoryBudgetTest, OwnPartIsAlwaysThere) {
  MemoryBudget budget(0, 100);
  MemoryBudget::Lease lease(budget);
  EXPECT_TRUE(lease.TryRaiseTo(100));
  EXPECT_FALSE(lease.TryRaiseTo(101));
  EXPECT_EQ(lease.RaiseTowards(kMebibyte), 100U);
}

TEST(MemoryBudgetTest, WhatOneHasTakenAnotherLacksUntilItIsGivenBack) {
  MemoryBudget budget(2 * kMebibyte, 0);
  std::optional<MemoryBudget::Lease> first(budget);
  MemoryBudget::Lease second(budget);
  EXPECT_TRUE(first->TryRaiseTo(kMebibyte * 3 / 2));
  EXPECT_TRUE(first->TryRaiseTo(1));
  EXPECT_FALSE(second.TryRaiseTo(kMebibyte));
  EXPECT_EQ(second.RaiseTowards(kMebibyte), kMebibyte / 2);
  first.reset();
  EXPECT_EQ(budget.left(), kMebibyte * 3 / 2);
  EXPECT_TRUE(second.TryRaiseTo(2 * kMebibyte));
  EXPECT_EQ(budget.left(), 0U);
}

TEST(MemoryBudgetTest, MovesWithTheRows) {
  MemoryBudget budget(kMebibyte, 0);
  MemoryBudget::Lease lease(budget);
  ASSERT_TRUE(lease.TryRaiseTo(kMebibyte));
  {
    const MemoryBudget::Lease moved = std::exchange(lease, MemoryBudget::Lease(budget));
    EXPECT_EQ(budget.left(), 0U);
  }
  EXPECT_EQ(budget.left(), kMebibyte);
}

TEST(MemoryBudgetTest, NothingIsLostBetweenThreads) {
  MemoryBudget budget(8 * kMebibyte, 10);
  {
    std::vector<std::jthread> threads;
    for (uint64_t seed = 1; seed <= 4; ++seed) {
      threads.emplace_back([&budget, seed] {
        for (uint64_t i = 0; i < 1000; ++i) {
          MemoryBudget::Lease lease(budget);
          for (uint64_t bytes = seed; bytes < 4 * kMebibyte; bytes *= 3) {
            if (!lease.TryRaiseTo(bytes)) break;
          }
        }
      });
    }
  }
  EXPECT_EQ(budget.left(), 8 * kMebibyte);
}

}  // namespace
}  // namespace penstock
