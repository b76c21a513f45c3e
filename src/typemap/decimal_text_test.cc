#include "typemap/decimal_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>

namespace penstock::typemap {
namespace {

constexpr uint64_t kOnes = UINT64_MAX;

TEST(ParseDecimalTextTest, ReadsItsForm) {
  EXPECT_EQ(ParseDecimalText("0", 20, 0), (Int256{0, 0, 0, 0}));
  EXPECT_EQ(ParseDecimalText("-0.00", 20, 2), (Int256{0, 0, 0, 0}));
  EXPECT_EQ(ParseDecimalText("12.30", 20, 2), (Int256{1230, 0, 0, 0}));
  EXPECT_EQ(ParseDecimalText("-12.30", 20, 2), (Int256{-uint64_t{1230}, kOnes, kOnes, kOnes}));
  EXPECT_EQ(ParseDecimalText("0.5", 1, 1), (Int256{5, 0, 0, 0}));
  EXPECT_EQ(ParseDecimalText("0099", 2, 0), (Int256{99, 0, 0, 0}));
  EXPECT_EQ(ParseDecimalText("18446744073709551616", 20, 0), (Int256{0, 1, 0, 0}));
  EXPECT_EQ(ParseDecimalText("-18446744073709551616", 20, 0), (Int256{0, kOnes, kOnes, kOnes}));
  EXPECT_EQ(ParseDecimalText("340282366920938463463374607431768211456", 39, 0),
            (Int256{0, 0, 1, 0}));
}

TEST(ParseDecimalTextTest, RefusesEveryOtherForm) {
  for (const char* text : {"", "-", ".", "1", "1.", "1.2", "1.234", ".12", "+1.00", "1,00", "1.0x",
                           " 1.00", "1..0", "--1.00", "1e2.00"}) {
    EXPECT_EQ(ParseDecimalText(text, 20, 2), std::nullopt) << text;
  }
  EXPECT_EQ(ParseDecimalText("100", 2, 0), std::nullopt);
  EXPECT_EQ(ParseDecimalText("1.0", 20, 0), std::nullopt);
}

// Back to digits by dividing limb after limb.
std::string Print(Int256 value, uint32_t scale) {
  const bool negative = value[3] >> 63 != 0;
  if (negative) {
    for (uint64_t& limb : value) limb = ~limb;
    for (uint64_t& limb : value) {
      if (++limb != 0) break;
    }
  }
  std::string digits;
  const size_t length_min = scale == 0 ? 1 : scale + 2;
  while (digits.size() < length_min || value != Int256{}) {
    unsigned __int128 rest = 0;
    for (size_t i = 4; i-- > 0;) {
      rest = rest << 64 | value[i];
      value[i] = static_cast<uint64_t>(rest / 10);
      rest %= 10;
    }
    digits += static_cast<char>('0' + static_cast<int>(rest));
    if (digits.size() == scale) digits += '.';
  }
  if (negative) digits += '-';
  std::ranges::reverse(digits);
  return digits;
}

TEST(ParseDecimalTextTest, KeepsEveryDigit) {
  EXPECT_TRUE(rc::check([] {
    const auto precision = *rc::gen::inRange<uint32_t>(19, 66);
    const auto scale = *rc::gen::inRange<uint32_t>(0, std::min(31U, precision + 1));
    const auto whole = *rc::gen::container<std::string>(rc::gen::inRange('0', ':'));
    std::string text = "1" + whole.substr(0, std::min<size_t>(whole.size(), precision - scale - 1));
    if (precision <= scale) text = "0";
    if (scale > 0) {
      text += "." + *rc::gen::container<std::string>(scale, rc::gen::inRange('0', ':'));
    }
    if (*rc::gen::arbitrary<bool>() && text.find_first_not_of("0.") != text.npos) text = "-" + text;
    const auto parsed = ParseDecimalText(text, precision, scale);
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(Print(*parsed, scale) == text);
  }));
}

TEST(ParseDecimalTextTest, NeverFailsOtherwiseOnAnyBytes) {
  EXPECT_TRUE(rc::check([](const std::string& text) { ParseDecimalText(text, 65, 30); }));
}

}  // namespace
}  // namespace penstock::typemap
