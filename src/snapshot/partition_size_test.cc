#include "snapshot/partition_size.h"

#include <gtest/gtest.h>

namespace penstock::snapshot {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(PartitionSizeTest, SlowOnesMakeTheNextOnesSmaller) {
  PartitionSize size(minutes(1));
  EXPECT_EQ(size.Rows(1000), 1000U);
  size.Took(1000, minutes(1));
  EXPECT_EQ(size.Rows(1000), 1000U);
  // Those that were begun together say the same.
  for (int i = 0; i < 4; ++i) size.Took(1000, minutes(10));
  EXPECT_EQ(size.Rows(1000), 100U);
  size.Took(1, minutes(100));
  EXPECT_EQ(size.Rows(1000), 1U);
}

TEST(PartitionSizeTest, FastOnesLetThemGrow) {
  PartitionSize size(minutes(1));
  size.Took(1000, minutes(10));
  size.Took(100, seconds(30));
  EXPECT_EQ(size.Rows(1000), 200U);
  size.Took(200, seconds(1));
  EXPECT_EQ(size.Rows(1000), 1000U);
  EXPECT_EQ(size.Rows(100'000), 12'000U);
}

TEST(PartitionSizeTest, SmallOnesTellLittle) {
  PartitionSize size(minutes(1));
  size.Took(0, minutes(10));
  size.Took(3, seconds(1));
  size.Took(3, milliseconds(0));
  EXPECT_EQ(size.Rows(1000), 1000U);
}

}  // namespace
}  // namespace penstock::snapshot
