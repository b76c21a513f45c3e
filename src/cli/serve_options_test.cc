#include "cli/serve_options.h"

#include <gtest/gtest.h>

#include "cli/memory_limit.h"

namespace penstock::cli {
namespace {

TEST(ListenAddress, IsHostAndPort) {
  EXPECT_EQ(ParseListenAddress("0.0.0.0:0")->port, 0);
  EXPECT_EQ(ParseListenAddress("localhost:80")->host, "localhost");
  EXPECT_EQ(ParseListenAddress("[::]:80")->host, "::");
  for (const char* text : {"", ":80", "localhost", "localhost:", "localhost:x", "localhost:65536",
                           "::1:80", "8124", "localhost:-1", "[]:80"}) {
    EXPECT_FALSE(ParseListenAddress(text)) << text;
  }
}

TEST(MemoryLimit, SizesHaveUnits) {
  EXPECT_EQ(*ParseBytes("1024"), 1024u);
  EXPECT_EQ(*ParseBytes("2KiB"), 2048u);
  EXPECT_EQ(*ParseBytes("1GiB"), 1024u * 1024 * 1024);
  for (const char* text : {"", "MiB", "1.5GiB", "-1", "1 GiB", "1TB", "99999999999999GiB"}) {
    EXPECT_FALSE(ParseBytes(text)) << text;
  }
}

TEST(MemoryLimit, TheDefaultIsWithinItsBounds) {
  EXPECT_GT(DefaultMemoryLimitBytes(), 16u * 1024 * 1024);
  EXPECT_LE(DefaultMemoryLimitBytes(), 1024u * 1024 * 1024);
}

}  // namespace
}  // namespace penstock::cli
