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

TEST(JoinTest, TheLaterPlaceInFilesOfOneServer) {
  using model::Mechanism;
  using model::Position;
  Position position{.mechanism = Mechanism::kMariadbGtid,
                    .file = "bin.000002",
                    .offset = 100,
                    .server = "11",
                    .mysql = {},
                    .mariadb = *model::MariadbGtidPosition::Parse("0-1-9,1-1-5")};
  Position other = position;
  other.offset = 200;
  other.mariadb = *model::MariadbGtidPosition::Parse("0-1-7,2-1-3");
  Join(position, other);
  EXPECT_EQ(position.offset, 200U);
  EXPECT_EQ(position.mariadb.ToString(), "0-1-9,1-1-5,2-1-3");
  other.server = "12";
  other.file = "bin.000009";
  Join(position, other);
  EXPECT_EQ(position.file, "bin.000002");
}

}  // namespace
}  // namespace penstock::mysql
