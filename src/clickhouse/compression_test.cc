#include "clickhouse/compression.h"

#include <gtest/gtest.h>

namespace penstock::clickhouse {
namespace {

TEST(CompressionTest, NoneToLoopbackAndZstdElsewhere) {
  for (const auto* url : {"http://127.0.0.1:8123", "http://127.1.2.3/", "http://localhost:8123/x",
                          "https://localhost", "http://[::1]:8123"}) {
    EXPECT_EQ(CompressionTo(url), Compression::kNone) << url;
  }
  for (const auto* url :
       {"http://10.0.0.1:8123", "https://x.clickhouse.cloud:8443", "http://127.example.org",
        "http://localhost.example.org:8123", "http://[fe80::1]:8123", "http://[2001:db8::1]"}) {
    EXPECT_EQ(CompressionTo(url), Compression::kZstd) << url;
  }
}

}  // namespace
}  // namespace penstock::clickhouse
