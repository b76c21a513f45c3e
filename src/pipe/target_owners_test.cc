#include "pipe/target_owners.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::pipe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

catalog::TableRecord Table(const std::string& target, const std::string& ddl,
                           bool reload_wanted = false) {
  catalog::TableRecord table;
  table.target = target;
  table.ddl = ddl;
  table.reload_wanted = reload_wanted;
  return table;
}

PipeSpec SpecOf(const std::vector<std::string>& targets) {
  PipeSpec spec;
  for (const std::string& target : targets) {
    TableMapping& table = spec.tables.emplace_back();
    table.source = {"shop", "t" + std::to_string(spec.tables.size())};
    table.target_table = target;
  }
  return spec;
}

TEST(FindRefused, TheFirstThatWantsATargetGetsItUnlessOneHasIt) {
  const auto spec = SpecOf({"x", "y", "x", "y", "z"});
  const auto refused =
      FindRefused(spec, {Table("x", "", true), Table("y", "", true), Table("x", "CREATE")}, {});
  ASSERT_EQ(refused.size(), 2U);
  EXPECT_THAT(refused.at(0).message, HasSubstr("its target x is that of shop.t3"));
  EXPECT_THAT(refused.at(3).message, HasSubstr("its target y is that of shop.t2"));
  EXPECT_THAT(refused.at(3).remedy, HasSubstr("remove-table"));
}

TEST(FindRefused, OnesThatWereRefusedBeforeAreInNobodysWay) {
  EXPECT_TRUE(FindRefused(SpecOf({"x", "x"}), {Table("x", "")}, {}).empty());
}

TEST(FindRefused, WhatIsAnotherPipes) {
  const TakenTargets taken = {{"x", Error{.message = "x belongs to the pipe other"}}};
  const auto refused = FindRefused(SpecOf({"x", "x"}), {Table("x", "CREATE")}, taken);
  EXPECT_THAT(refused, ElementsAre(Pair(1, testing::_))) << "what it has it keeps";
  EXPECT_THAT(refused.at(1).message, HasSubstr("the pipe other"));
}

TEST(FindRefused, WhatIsYetToBeCleanedUpIsToBeWaitedFor) {
  const TakenTargets taken = {{"x", Error{.message = "left", .remedy = "Wait"}}};
  EXPECT_EQ(FindRefused(SpecOf({"x"}), {}, taken).at(0).remedy,
            "Wait; then resync the table (penstock resync)");
}

TEST(MayHaveTarget, OnlyWhatGotOneOrIsAboutToAndNoOtherHasIt) {
  EXPECT_TRUE(MayHaveTarget(Table("x", "CREATE"), {}));
  EXPECT_FALSE(MayHaveTarget(Table("x", ""), {}));
  EXPECT_TRUE(MayHaveTarget(Table("x", "", true), {Table("x", "", true), Table("y", "CREATE")}));
  EXPECT_FALSE(MayHaveTarget(Table("x", "", true), {Table("x", "CREATE")}));
}

}  // namespace
}  // namespace penstock::pipe
