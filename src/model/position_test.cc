#include "model/position.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace penstock::model {
namespace {

constexpr char kGtids[] = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:tag:7";

TEST(Position, ShowsWhatDecides) {
  Position position;
  position.file = "binlog.000007";
  position.offset = 154;
  position.mysql = MysqlGtidSet::Parse(kGtids).value();
  position.mariadb = MariadbGtidPosition::Parse("0-1-2").value();
  EXPECT_EQ(position.ToString(), "binlog.000007:154");
  position.mechanism = Mechanism::kMysqlGtid;
  EXPECT_EQ(position.ToString(), kGtids);
  position.mechanism = Mechanism::kMariadbGtid;
  EXPECT_EQ(position.ToString(), "0-1-2");
}

TEST(Position, SerializesInOneLine) {
  Position position;
  position.mechanism = Mechanism::kMysqlGtid;
  position.file = "bin|log%.\n000007";
  position.offset = 5'000'000'000;
  position.mysql = MysqlGtidSet::Parse(kGtids).value();
  position.file_mark = 1'700'000'000;
  position.server = "a|b";
  const std::string line = position.Serialize();
  EXPECT_EQ(line, fmt::format("mysql_gtid|bin%7clog%25.%0a000007|5000000000|{}||1700000000|a%7cb",
                              kGtids));
  EXPECT_EQ(Position::Parse(line).value(), position);
}

TEST(Position, ReadsWhatAnOlderVersionWrote) {
  const Position position = Position::Parse("file|bin.000001|4||0-1-2").value();
  EXPECT_EQ(position.offset, 4U);
  EXPECT_EQ(position.mariadb.ToString(), "0-1-2");
  EXPECT_EQ(position.file_mark, 0U);
  EXPECT_EQ(position.server, "");
}

TEST(Position, AnyPositionSurvivesTheRoundTrip) {
  EXPECT_TRUE(rc::check("position", [] {
    Position position;
    position.mechanism =
        *rc::gen::element(Mechanism::kMysqlGtid, Mechanism::kMariadbGtid, Mechanism::kFile);
    position.file = *rc::gen::arbitrary<std::string>();
    position.offset = *rc::gen::arbitrary<uint64_t>();
    position.file_mark = *rc::gen::arbitrary<uint64_t>();
    position.server = *rc::gen::arbitrary<std::string>();
    if (*rc::gen::arbitrary<bool>()) position.mysql = MysqlGtidSet::Parse(kGtids).value();
    if (*rc::gen::arbitrary<bool>()) position.mariadb.Set({1, 2, *rc::gen::arbitrary<uint64_t>()});
    const std::string line = position.Serialize();
    RC_ASSERT(line.find('\n') == std::string::npos);
    RC_ASSERT(Position::Parse(line).value() == position);
  }));
}

TEST(Position, RefusesMalformedText) {
  for (const char* text :
       {"", "file|a|1", "file|a|1||||", "cloud|a|1||", "file|a|x||", "file|a|||", "file|a|-1||",
        "file|a|1 ||", "file|a|18446744073709551616||", "file|a%|1||", "file|a%1|1||",
        "file|a%zz|1||", "file|a|1|junk|", "file|a|1||junk", "file|a|1|||5", "file|a|1|||x|s",
        "file|a|1|||-1|s", "file|a|1|||5|s%"}) {
    const auto position = Position::Parse(text);
    ASSERT_FALSE(position) << text;
    EXPECT_EQ(position.error().code, ErrorCode::kBadData);
  }
  EXPECT_TRUE(Position::Parse("file||0||"));
}

}  // namespace
}  // namespace penstock::model
