#include "model/value_changes.h"

#include <gtest/gtest.h>

namespace penstock::model {
namespace {

ChangeCounts Counts(uint64_t clamped, uint64_t nulled, uint64_t replaced) {
  ChangeCounts counts;
  counts[Change::kClamped] = clamped;
  counts[Change::kNulled] = nulled;
  counts[Change::kReplaced] = replaced;
  return counts;
}

TEST(ValueChangesTest, AddUpByColumnAndKind) {
  ValueChanges sum = {{"day", Counts(2, 0, 0)}};
  AddTo(sum, {{"day", Counts(3, 1, 0)}, {"name", Counts(0, 0, 7)}});
  EXPECT_EQ(sum, (ValueChanges{{"day", Counts(5, 1, 0)}, {"name", Counts(0, 0, 7)}}));
  EXPECT_EQ(TotalOf(sum), 13U);
  EXPECT_EQ(TotalOf({}), 0U);
}

TEST(ValueChangesTest, EachKindHasAName) {
  EXPECT_EQ(ChangeName(Change::kClamped), "clamped");
  EXPECT_EQ(ChangeName(Change::kNulled), "nulled");
  EXPECT_EQ(ChangeName(Change::kReplaced), "replaced");
}

}  // namespace
}  // namespace penstock::model
