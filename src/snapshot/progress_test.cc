#include "snapshot/progress.h"

#include <gtest/gtest.h>

namespace penstock::snapshot {
namespace {

using std::chrono::seconds;

TEST(LoadProgressTest, TheShareIsWholeAtTheEndAndNotBefore) {
  LoadProgress progress;
  EXPECT_EQ(progress.figures().share(), 0);
  progress.Estimate(1000, 1 << 20);
  progress.partitions = 2;
  progress.planned = true;
  progress.Add(500, 10'000);
  progress.partitions_done = 1;
  EXPECT_NEAR(progress.figures().share(), 0.5, 0.001);
  progress.Add(100, 2'000);
  EXPECT_LT(progress.figures().share(), 1);
  progress.partitions_done = 2;
  const LoadFigures figures = progress.figures();
  EXPECT_EQ(figures.share(), 1);
  EXPECT_EQ(figures.rows, 600U);
  EXPECT_EQ(figures.rows_estimated, 600U);
  EXPECT_EQ(figures.bytes_estimated, 12'000U);
}

// The estimate rises with the rows, and stays there when some are read again.
TEST(LoadProgressTest, RowsNeverExceedTheEstimate) {
  LoadProgress progress;
  progress.Estimate(100, 1'000);
  progress.partitions = 3;
  double before = 0;
  for (int i = 0; i < 10; ++i) {
    progress.Add(40, 4'000);
    const LoadFigures figures = progress.figures();
    EXPECT_LE(figures.rows, figures.rows_estimated);
    EXPECT_LE(figures.bytes, figures.bytes_estimated);
    EXPECT_LT(figures.share(), 1);
    EXPECT_GE(figures.share(), before);
    before = figures.share();
  }
  progress.TakeBack(40, 4'000);
  EXPECT_EQ(progress.figures().rows, 360U);
  EXPECT_EQ(progress.figures().rows_estimated, 400U);
  EXPECT_EQ(progress.figures().bytes, 36'000U);
  EXPECT_EQ(progress.figures().bytes_estimated, 40'000U);
  EXPECT_LT(progress.figures().share(), before);
}

TEST(LoadProgressTest, EmptyTablesCount) {
  LoadProgress empty;
  LoadProgress done;
  done.planned = true;
  LoadFigures both = empty.figures();
  EXPECT_EQ(both.share(), 0);
  both += done.figures();
  EXPECT_EQ(both.share(), 0.5);
  EXPECT_EQ(both.tables, 2U);
  EXPECT_EQ(both.tables_done, 1U);
}

TEST(LoadProgressTest, TheEndIsTakenOnce) {
  LoadProgress progress;
  progress.partitions = 1;
  progress.planned = true;
  EXPECT_FALSE(progress.TakeEnd());
  progress.partitions_done = 1;
  EXPECT_TRUE(progress.TakeEnd());
  EXPECT_FALSE(progress.TakeEnd());
}

TEST(LoadFiguresTest, TimeLeftIsKnownOnlyWhereSomethingMovesAndIsLeft) {
  LoadFigures figures{.tables = 2,
                      .tables_done = 1,
                      .partitions = 2,
                      .partitions_done = 1,
                      .partitions_in_flight = 1,
                      .rows = 1'000,
                      .rows_estimated = 4'001,
                      .bytes = 0,
                      .bytes_estimated = 0};
  EXPECT_EQ(figures.TimeLeft(1'000), seconds(4));
  EXPECT_EQ(figures.TimeLeft(0), std::nullopt);
  figures.rows = figures.rows_estimated;
  EXPECT_EQ(figures.TimeLeft(1'000), std::nullopt);
  figures.tables_done = 2;
  EXPECT_EQ(figures.TimeLeft(0), seconds(0));
}

}  // namespace
}  // namespace penstock::snapshot
