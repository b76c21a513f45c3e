#include "base/backoff.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace penstock {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, DoublesUpToTheLongestWithJitter) {
  for (int round = 0; round < 100; ++round) {
    Backoff backoff({.first = milliseconds(100), .longest = milliseconds(1000)});
    milliseconds full(100);
    for (int attempt = 1; attempt <= 8; ++attempt) {
      const milliseconds wait = backoff.Next();
      EXPECT_GE(wait, full / 2);
      EXPECT_LE(wait, full);
      EXPECT_EQ(backoff.attempts(), attempt);
      full = std::min(full * 2, milliseconds(1000));
    }
  }
}

TEST(Backoff, NeverExceedsTheLongest) {
  Backoff backoff({.first = milliseconds(500), .longest = milliseconds(100)});
  backoff.Next();
  EXPECT_LE(backoff.Next(), milliseconds(100));
}

TEST(Backoff, ResetBeginsAnew) {
  Backoff backoff({.first = milliseconds(100), .longest = milliseconds(10'000)});
  for (int i = 0; i < 5; ++i) backoff.Next();
  backoff.Reset();
  EXPECT_EQ(backoff.attempts(), 0);
  EXPECT_LE(backoff.Next(), milliseconds(100));
}

TEST(Backoff, WaitsDiffer) {
  Backoff a({.first = milliseconds(1'000'000), .longest = milliseconds(1'000'000)});
  int different = 0;
  milliseconds previous = a.Next();
  for (int i = 0; i < 20; ++i) {
    const milliseconds wait = a.Next();
    different += wait != previous ? 1 : 0;
    previous = wait;
  }
  EXPECT_GT(different, 10);
}

}  // namespace
}  // namespace penstock
