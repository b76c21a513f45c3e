#include "pipe/removals.h"

#include <gtest/gtest.h>

namespace penstock::pipe {
namespace {

TEST(IsAt, WhereItWasMade) {
  const clickhouse::Endpoint here{.url = "http://here:1"};
  PipeSpec spec;
  EXPECT_TRUE(IsAt({.url = here.url, .target = "t"}, spec, here, ""));
  EXPECT_FALSE(IsAt({.url = "http://other:1", .target = "t"}, spec, here, ""));
  EXPECT_TRUE(IsAt({.url = kEmbedded, .target = "t"}, spec, here, here.url));
  EXPECT_FALSE(IsAt({.url = kEmbedded, .target = "t"}, spec, here, ""));
}

TEST(IsAt, OfUnknownPlaceItMayBeWhereThePipeIs) {
  const clickhouse::Endpoint here{.url = "http://here:1"};
  PipeSpec spec;
  EXPECT_TRUE(IsAt({.url = "", .target = "t"}, spec, here, ""));
  spec.clickhouse = clickhouse::Endpoint{.url = "http://own:1"};
  EXPECT_FALSE(IsAt({.url = "", .target = "t"}, spec, here, ""));
  EXPECT_TRUE(IsAt({.url = "", .target = "t"}, spec, *spec.clickhouse, ""));
}

}  // namespace
}  // namespace penstock::pipe
