#include "mysql/wire/start_position.h"

#include <gtest/gtest.h>

namespace penstock::mysql {
namespace {

bool Reached(LogPosition current, LogPosition wanted) { return LogReached(current, wanted); }

TEST(LogReachedTest, ByNumberThenOffset) {
  EXPECT_TRUE(Reached({"bin.000002", 100}, {"bin.000002", 100}));
  EXPECT_FALSE(Reached({"bin.000002", 99}, {"bin.000002", 100}));
  EXPECT_TRUE(Reached({"bin.000003", 4}, {"bin.000002", 100}));
  EXPECT_FALSE(Reached({"bin.000001", 500}, {"bin.000002", 100}));
}

TEST(LogReachedTest, NumbersGrowBeyondTheirDigits) {
  EXPECT_TRUE(Reached({"bin.1000000", 4}, {"bin.999999", 100}));
  EXPECT_FALSE(Reached({"bin.999999", 100}, {"bin.1000000", 4}));
}

TEST(LogReachedTest, AnotherLogIsNotReached) {
  EXPECT_FALSE(Reached({"other.000009", 100}, {"bin.000002", 100}));
  EXPECT_FALSE(Reached({"", 0}, {"bin.000002", 100}));
  EXPECT_FALSE(Reached({"bin.x", 100}, {"bin.x", 100}));
}

}  // namespace
}  // namespace penstock::mysql
