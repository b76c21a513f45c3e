#include "model/gtid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace penstock::model {
namespace {

using testing::HasSubstr;

constexpr char kUuid[] = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
constexpr char kOther[] = "4f22fa47-71ca-11e1-9e33-c80aa9429562";

std::string At(const std::string& rest) { return kUuid + rest; }

std::string Reprint(const std::string& text) {
  const auto set = MysqlGtidSet::Parse(text);
  return set ? set->ToString() : set.error().message;
}

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<uint8_t>(c));
  return hex;
}

TEST(MysqlGtidSet, PrintsWhatItParsed) {
  for (const std::string& text :
       {std::string(), At(":1"), At(":1-5"), At(":1-5:7:9-9223372036854775806"),
        At(":1-5,") + kOther + ":1", At(":tag:1"), At(":1-3:a_1:5:b:7-9"),
        At(":_0:1,") + kOther + ":2:zz:3"}) {
    EXPECT_EQ(Reprint(text), text);
  }
}

TEST(MysqlGtidSet, NormalizesAsTheServerDoes) {
  EXPECT_EQ(Reprint(At(":5:1-3:4")), At(":1-5"));
  EXPECT_EQ(Reprint(At(":1-10:3-4:8-12")), At(":1-12"));
  EXPECT_EQ(Reprint(At(":2,") + At(":1")), At(":1-2"));
  EXPECT_EQ(Reprint(std::string(kOther) + ":1,\n" + At(":1")), At(":1,") + kOther + ":1");
  EXPECT_EQ(Reprint(At(":Tag_A:1:TAG_a:2")), At(":tag_a:1-2"));
  EXPECT_EQ(Reprint(At(":b:1:a:1,") + At(":9")), At(":9:a:1:b:1"));
  EXPECT_EQ(Reprint("  3E11FA47-71CA-11E1-9E33-C80AA9429562 : 1 - 5 ,, "), At(":1-5"));
  EXPECT_EQ(Reprint("3e11fa4771ca11e19e33c80aa9429562:1"), At(":1"));
  EXPECT_EQ(Reprint("{3e11fa47-71ca-11e1-9e33-c80aa9429562}:1"), At(":1"));
}

TEST(MysqlGtidSet, RefusesMalformedText) {
  for (const std::string& text : {std::string("x"),
                                  std::string(kUuid),
                                  At(":"),
                                  At(":0"),
                                  At(":5-4"),
                                  At(":1-"),
                                  At(":-1"),
                                  At(":1--2"),
                                  At(":1 2"),
                                  At(":9223372036854775807"),
                                  At(":18446744073709551616"),
                                  At(":tag"),
                                  At(":tag:"),
                                  At(":tag:other:1"),
                                  At(":1:tag"),
                                  At(":1tag:2"),
                                  At(":ta-g:1"),
                                  At(":" + std::string(33, 't') + ":1"),
                                  At(":1;") + kOther + ":1",
                                  std::string("3e11fa47-71ca-11e1-9e33-c80aa942956:1"),
                                  std::string("{3e11fa47-71ca-11e1-9e33-c80aa9429562:1"),
                                  At(":1") + std::string("\0", 1)}) {
    const auto set = MysqlGtidSet::Parse(text);
    ASSERT_FALSE(set) << text;
    EXPECT_EQ(set.error().code, ErrorCode::kBadData);
    EXPECT_THAT(set.error().message, HasSubstr("GTID set is malformed"));
  }
  EXPECT_TRUE(MysqlGtidSet::Parse(At(":" + std::string(32, 't') + ":1")));
}

TEST(MysqlGtidSet, TagsAreSourcesOfTheirOwn) {
  const auto set = MysqlGtidSet::Parse(At(":1-5:blue:7"));
  ASSERT_TRUE(set);
  const auto contains = [&set](const std::string& text) {
    return set->Contains(MysqlGtidSet::Parse(text).value());
  };
  EXPECT_TRUE(contains(At(":5")));
  EXPECT_FALSE(contains(At(":7")));
  EXPECT_TRUE(contains(At(":blue:7")));
  EXPECT_FALSE(contains(At(":blue:5")));
  EXPECT_FALSE(contains(At(":red:7")));
}

// Both forms were accepted by MySQL 9.7 in COM_BINLOG_DUMP_GTID (with its own UUID), which then
// sent exactly the transactions that are not in the set.
TEST(MysqlGtidSet, EncodesForDump) {
  EXPECT_EQ(Hex(MysqlGtidSet().Encode()), "0000000000000000");
  EXPECT_EQ(Hex(MysqlGtidSet::Parse(At(":1-5:7")).value().Encode()),
            "0100000000000000"
            "3e11fa4771ca11e19e33c80aa9429562"
            "0200000000000000"
            "0100000000000000"
            "0600000000000000"
            "0700000000000000"
            "0800000000000000");
  EXPECT_EQ(Hex(MysqlGtidSet::Parse(At(":1-5:blue:2")).value().Encode()),
            "0102000000000001"
            "3e11fa4771ca11e19e33c80aa9429562"
            "00"
            "0100000000000000"
            "0100000000000000"
            "0600000000000000"
            "3e11fa4771ca11e19e33c80aa9429562"
            "08"
            "626c7565"
            "0100000000000000"
            "0200000000000000"
            "0300000000000000");
}

using ModelGtid = std::tuple<int, std::string, uint64_t>;
using ModelSet = std::set<ModelGtid>;

MysqlGtid FromModel(const ModelGtid& model) {
  MysqlGtid gtid;
  gtid.uuid[15] = static_cast<uint8_t>(std::get<0>(model));
  gtid.tag = GtidTag(std::get<1>(model));
  gtid.number = std::get<2>(model);
  return gtid;
}

rc::Gen<ModelSet> AnyModelSet() {
  return rc::gen::container<ModelSet>(
      rc::gen::tuple(rc::gen::inRange(0, 2), rc::gen::element<std::string>("", "a", "tag_b"),
                     rc::gen::inRange<uint64_t>(1, 30)));
}

// In any order.
MysqlGtidSet AddedOneByOne(const ModelSet& model) {
  std::multimap<uint32_t, ModelGtid> shuffled;
  for (const ModelGtid& gtid : model) shuffled.emplace(*rc::gen::arbitrary<uint32_t>(), gtid);
  MysqlGtidSet set;
  for (const auto& [order, gtid] : shuffled) set.Add(FromModel(gtid));
  return set;
}

TEST(MysqlGtidSet, BehavesAsASetOfTransactions) {
  EXPECT_TRUE(rc::check("GTID set", [] {
    const ModelSet model_a = *AnyModelSet();
    const ModelSet model_b = *AnyModelSet();
    const MysqlGtidSet a = AddedOneByOne(model_a);
    const MysqlGtidSet b = AddedOneByOne(model_b);

    RC_ASSERT(a.empty() == model_a.empty());
    RC_ASSERT((a == b) == (model_a == model_b));
    RC_ASSERT(AddedOneByOne(model_a) == a);
    RC_ASSERT(MysqlGtidSet::Parse(a.ToString()).value() == a);
    for (const ModelGtid& gtid : model_b) {
      RC_ASSERT(a.Contains(FromModel(gtid)) == model_a.contains(gtid));
    }
    const bool includes =
        std::includes(model_a.begin(), model_a.end(), model_b.begin(), model_b.end());
    RC_ASSERT(a.Contains(b) == includes);

    ModelSet model_union = model_a;
    model_union.insert(model_b.begin(), model_b.end());
    MysqlGtidSet sum = a;
    sum.Add(b);
    RC_ASSERT(sum == AddedOneByOne(model_union));
    RC_ASSERT(sum.Contains(a));
    RC_ASSERT(sum.Contains(b));
    sum.Add(sum);
    RC_ASSERT(sum == AddedOneByOne(model_union));

    ModelSet model_rest;
    std::set_difference(model_a.begin(), model_a.end(), model_b.begin(), model_b.end(),
                        std::inserter(model_rest, model_rest.end()));
    RC_ASSERT(a.Without(b) == AddedOneByOne(model_rest));
    RC_ASSERT(MysqlGtidSet::Decode(a.Encode()).value() == a);
  }));
}

TEST(MysqlGtidSet, KnowsServersWhateverTheTag) {
  const auto set = [](const std::string& text) { return MysqlGtidSet::Parse(text).value(); };
  constexpr char kUnknown[] = "00000000-0000-0000-0000-000000000001:5";
  EXPECT_TRUE(set(At(":1-5")).KnowsServersOf(set(At(":blue:9"))));
  EXPECT_TRUE(set(At(":blue:9")).KnowsServersOf(set(At(":1-5"))));
  EXPECT_FALSE(set(At(":1-5")).KnowsServersOf(set(kUnknown)));
  EXPECT_FALSE(MysqlGtidSet().KnowsServersOf(set(kUnknown)));
  EXPECT_TRUE(MysqlGtidSet().KnowsServersOf({}));
}

TEST(MysqlGtidSet, RefusesMalformedBytes) {
  const std::string bytes = MysqlGtidSet::Parse(At(":1-5:blue:2")).value().Encode();
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(MysqlGtidSet::Decode(bytes.substr(0, length))) << length;
  }
  EXPECT_FALSE(MysqlGtidSet::Decode(bytes + '\0'));
  std::string upper = bytes;
  upper[upper.find("blue")] = 'B';
  EXPECT_FALSE(MysqlGtidSet::Decode(upper));
}

TEST(MysqlGtid, Prints) {
  EXPECT_EQ(FromModel({1, "", 7}).ToString(), "00000000-0000-0000-0000-000000000001:7");
  EXPECT_EQ(FromModel({1, "t", 7}).ToString(), "00000000-0000-0000-0000-000000000001:t:7");
}

TEST(MariadbGtidPosition, PrintsWhatItParsed) {
  for (const char* text :
       {"", "0-1-100", "0-1-100,1-2-7", "4294967295-4294967295-18446744073709551615"}) {
    const auto position = MariadbGtidPosition::Parse(text);
    ASSERT_TRUE(position) << text;
    EXPECT_EQ(position->ToString(), text);
  }
  EXPECT_EQ(MariadbGtidPosition::Parse(" 5-1-2 , 0-1-1\n").value().ToString(), "0-1-1,5-1-2");
}

TEST(MariadbGtidPosition, RefusesMalformedText) {
  for (const char* text : {"x", "0", "0-1", "0-1-", "0-1-1,", "0-1-1 1-1-1", "0-1-1,0-2-2",
                           "-1-1-1", "4294967296-1-1", "0-1-18446744073709551616", ",0-1-1"}) {
    const auto position = MariadbGtidPosition::Parse(text);
    ASSERT_FALSE(position) << text;
    EXPECT_EQ(position.error().code, ErrorCode::kBadData);
  }
}

TEST(MariadbGtidPosition, MergesToTheLaterOfEachDomain) {
  auto position = MariadbGtidPosition::Parse("0-1-100,5-2-7").value();
  position.Merge(MariadbGtidPosition::Parse("0-2-99,5-3-8,6-1-1").value());
  EXPECT_EQ(position.ToString(), "0-1-100,5-3-8,6-1-1");
}

TEST(MariadbGtidPosition, WithoutLeavesTheDomainsThatDiffer) {
  const auto position = [](const char* text) { return MariadbGtidPosition::Parse(text).value(); };
  EXPECT_EQ(position("0-1-7,1-1-5,2-3-4").Without(position("0-1-6,1-1-5,3-1-1")).ToString(),
            "0-1-7,2-3-4");
}

TEST(MariadbGtidPosition, CoversByDomainWhateverTheServer) {
  auto position = MariadbGtidPosition::Parse("0-1-100,5-2-7").value();
  EXPECT_TRUE(position.Covers(MariadbGtid{0, 9, 100}));
  EXPECT_FALSE(position.Covers(MariadbGtid{0, 1, 101}));
  EXPECT_FALSE(position.Covers(MariadbGtid{1, 1, 1}));
  EXPECT_TRUE(position.Covers(MariadbGtidPosition::Parse("5-2-7").value()));
  EXPECT_TRUE(position.Covers(MariadbGtidPosition()));
  EXPECT_FALSE(position.Covers(MariadbGtidPosition::Parse("0-1-1,6-1-1").value()));
  EXPECT_FALSE(MariadbGtidPosition().Covers(position));

  position.Set({0, 3, 101});
  position.Set({1, 1, 1});
  EXPECT_EQ(position.ToString(), "0-3-101,1-1-1,5-2-7");
  position.Set({0, 4, 5});  // a domain may be set back by its server
  EXPECT_EQ(position.ToString(), "0-4-5,1-1-1,5-2-7");
}

}  // namespace
}  // namespace penstock::model
