#include "snapshot/loader.h"

#include <gtest/gtest.h>

namespace penstock::snapshot {
namespace {

LoadTable Table(bool planned, std::vector<bool> partitions_done) {
  LoadTable table;
  table.planned = planned;
  for (const bool done : partitions_done) {
    table.partitions.push_back(
        {.index = 0, .lower = std::nullopt, .upper = std::nullopt, .done = done, .rows = 0});
  }
  return table;
}

// Each table at once costs a thread for each of its readers and one more.
TEST(ParallelTablesTest, NoMoreThanThereIsWorkFor) {
  const std::vector<LoadTable> tables = {Table(false, {}), Table(true, {true, false}),
                                         Table(true, {true, true}), Table(false, {true})};
  EXPECT_EQ(ParallelTables(tables, 256), 3U);
  EXPECT_EQ(ParallelTables(tables, 2), 2U);
  EXPECT_EQ(ParallelTables({}, 256), 0U);
}

TEST(LoaderTest, WhatIsLoadedAlreadyNeedsNoSource) {
  LoaderOptions options;
  options.source.host = "127.0.0.1";
  options.source.port = 1;
  Loader loader({Table(true, {true}), Table(true, {})}, options, nullptr);
  EXPECT_TRUE(loader.Run({}).has_value());
  EXPECT_EQ(loader.figures(0).share(), 1);
}

}  // namespace
}  // namespace penstock::snapshot
