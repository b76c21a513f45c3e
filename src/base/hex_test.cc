#include "base/hex.h"

#include <gtest/gtest.h>

namespace penstock {
namespace {

TEST(HexTest, EveryByteIsTwoDigits) {
  EXPECT_EQ(Hex(std::string_view("\0\x0f\x7f\x80\xff", 5)), "000F7F80FF");
  EXPECT_EQ(Hex(""), "");
}

}  // namespace
}  // namespace penstock
