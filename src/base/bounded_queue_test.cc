#include "base/bounded_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace penstock {
namespace {

TEST(BoundedQueue, KeepsOrder) {
  BoundedQueue<int> queue(3);
  const std::stop_token never;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(queue.Push(i, never));
  EXPECT_EQ(queue.size(), 3U);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(queue.Pop(never), i);
  EXPECT_EQ(queue.size(), 0U);
}

TEST(BoundedQueue, DrainsAfterCloseThenEnds) {
  BoundedQueue<int> queue(3);
  const std::stop_token never;
  EXPECT_TRUE(queue.Push(1, never));
  queue.Close();
  EXPECT_FALSE(queue.Push(2, never));
  EXPECT_EQ(queue.Pop(never), 1);
  EXPECT_EQ(queue.Pop(never), std::nullopt);
}

TEST(BoundedQueue, StoppedCallsGiveUp) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  std::stop_source stop;
  EXPECT_TRUE(queue.Push(std::make_unique<int>(1), stop.get_token()));
  stop.request_stop();
  EXPECT_FALSE(queue.Push(std::make_unique<int>(2), stop.get_token()));
  EXPECT_EQ(queue.Pop(stop.get_token()), std::nullopt);
  EXPECT_EQ(queue.size(), 1U);
}

// Without a wake-up at the stop these threads would never join.
TEST(BoundedQueue, StopWakesWaiters) {
  for (int round = 0; round < 200; ++round) {
    BoundedQueue<int> empty(1);
    BoundedQueue<int> full(1);
    ASSERT_TRUE(full.Push(1, {}));
    std::jthread popper([&](std::stop_token stop) { EXPECT_EQ(empty.Pop(stop), std::nullopt); });
    std::jthread pusher([&](std::stop_token stop) { EXPECT_FALSE(full.Push(2, stop)); });
  }
}

TEST(BoundedQueue, CloseWakesWaiters) {
  for (int round = 0; round < 200; ++round) {
    BoundedQueue<int> empty(1);
    BoundedQueue<int> full(1);
    ASSERT_TRUE(full.Push(1, {}));
    std::jthread popper([&] { EXPECT_EQ(empty.Pop({}), std::nullopt); });
    std::jthread pusher([&] { EXPECT_FALSE(full.Push(2, {})); });
    empty.Close();
    full.Close();
  }
}

TEST(BoundedQueue, ManyThreadsLoseNothingAndStayBounded) {
  constexpr size_t kItemsMax = 4;
  constexpr int kItemsPerProducer = 5000;
  constexpr int kProducers = 3;
  BoundedQueue<int> queue(kItemsMax);
  std::atomic<int64_t> sum = 0;
  std::atomic<int> count = 0;
  {
    std::vector<std::jthread> consumers;
    for (int i = 0; i < 2; ++i) {
      consumers.emplace_back([&] {
        while (const auto item = queue.Pop({})) {
          EXPECT_LE(queue.size(), kItemsMax);
          sum += *item;
          ++count;
        }
      });
    }
    {
      std::vector<std::jthread> producers;
      for (int p = 0; p < kProducers; ++p) {
        producers.emplace_back([&] {
          for (int i = 1; i <= kItemsPerProducer; ++i) EXPECT_TRUE(queue.Push(i, {}));
        });
      }
    }
    queue.Close();
  }
  EXPECT_EQ(count, kProducers * kItemsPerProducer);
  EXPECT_EQ(sum, int64_t{kProducers} * kItemsPerProducer * (kItemsPerProducer + 1) / 2);
}

}  // namespace
}  // namespace penstock
