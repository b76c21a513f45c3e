#include "mysql/wire/common_history.h"

#include <gtest/gtest.h>

namespace penstock::mysql {
namespace {

using model::MariadbGtidPosition;

// "all", or the common part.
std::string Common(const char* position, const char* logged, const char* executed) {
  const auto common = CommonMariadb(MariadbGtidPosition::Parse(position).value(), logged,
                                    MariadbGtidPosition::Parse(executed).value());
  return *common ? (*common)->ToString() : "all";
}

TEST(CommonMariadb, AServerThatHasAllMayHaveMore) {
  EXPECT_EQ(Common("0-1-5,1-1-2", "0-1-5,1-1-9", "0-1-5,1-1-9"), "all");
  EXPECT_EQ(Common("0-1-5", "0-1-5,0-2-9", "0-2-9"), "all");
}

TEST(CommonMariadb, AServerThatIsBehind) {
  EXPECT_EQ(Common("0-1-5,1-1-2", "0-1-3,1-1-2", "0-1-3,1-1-2"), "0-1-3,1-1-2");
}

TEST(CommonMariadb, AServerThatHasOthersInTheirStead) {
  EXPECT_EQ(Common("0-1-5", "0-1-3,0-2-9", "0-2-9"), "0-1-3");
}

TEST(CommonMariadb, AServerThatDoesNotLogWhatItReplicates) {
  EXPECT_EQ(Common("0-1-5", "", "0-1-5"), "all");
  EXPECT_EQ(Common("0-1-5", "0-2-9", "0-1-4"), "0-1-4");
}

TEST(CommonMariadb, AServerThatHasNothing) {
  EXPECT_EQ(Common("0-1-5,1-1-2", "", ""), "");
  EXPECT_FALSE(CommonMariadb({}, "junk", {}));
}

TEST(PartsFromHistory, NotWhereAServersPartIsGoneAltogether) {
  const auto parse = [](const std::string& text) { return model::Position::Parse(text).value(); };
  const auto mysql = [&](const char* gtids) {
    return parse(std::string("mysql_gtid||0|") + gtids + "|");
  };
  const auto position = mysql("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-9");
  EXPECT_TRUE(PartsFromHistory(position, mysql("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-7")));
  EXPECT_FALSE(PartsFromHistory(position, mysql("")));
  const auto mariadb = [&](const char* gtids) {
    return parse(std::string("mariadb_gtid||0||") + gtids);
  };
  EXPECT_TRUE(PartsFromHistory(mariadb("0-1-9,1-1-2"), mariadb("0-1-7,1-1-2")));
  EXPECT_FALSE(PartsFromHistory(mariadb("0-1-9,1-1-2"), mariadb("0-1-7")));
}

}  // namespace
}  // namespace penstock::mysql
