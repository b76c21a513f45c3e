#include "mysql/binlog/json_binary.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

// Documents of a real server are compared with their text in row_image_test.cc (mysql97-json); here
// are the bytes that no server writes, and every double that is hard to print.
namespace penstock::binlog {
namespace {

using std::string_view_literals::operator""sv;

std::string Print(std::string_view document) {
  std::string text;
  const Status status = AppendJsonText(document, text);
  if (status) return text;
  EXPECT_EQ(status.error().code, ErrorCode::kBadData);
  return "malformed";
}

std::string PrintDouble(double number) {
  const auto bits = std::bit_cast<std::array<char, 8>>(number);
  return Print("\x0b" + std::string(bits.begin(), bits.end()));
}

TEST(Json, AppendsToTheText) {
  std::string text = "before ";
  ASSERT_TRUE(
      AppendJsonText("\x0c\x03"
                     "abc"sv,
                     text));
  EXPECT_EQ(text, "before \"abc\"");
}

TEST(Json, NoBytesAreTheLiteralNull) { EXPECT_EQ(Print(""), "null"); }

// Texts that MySQL 9.7 printed; 100,000 random doubles were compared with it likewise.
TEST(Json, DoublesAreShortestWithAFraction) {
  EXPECT_EQ(PrintDouble(1), "1.0");
  EXPECT_EQ(PrintDouble(-0.0), "-0.0");
  EXPECT_EQ(PrintDouble(1e14), "100000000000000.0");
  EXPECT_EQ(PrintDouble(1e15), "1e15");
  EXPECT_EQ(PrintDouble(123456789012345.6), "123456789012345.6");
  EXPECT_EQ(PrintDouble(1234567890123456.7), "1234567890123456.8");
  EXPECT_EQ(PrintDouble(0.000000000000001), "0.000000000000001");
  EXPECT_EQ(PrintDouble(1e-16), "1e-16");
  EXPECT_EQ(PrintDouble(-1.5e300), "-1.5e300");
  EXPECT_EQ(PrintDouble(5e-324), "5e-324");
  EXPECT_EQ(PrintDouble(std::numeric_limits<double>::infinity()), "malformed");
  EXPECT_EQ(PrintDouble(std::nan("")), "malformed");
}

TEST(Json, TruncatedScalarsAreMalformed) {
  for (const auto document :
       {"\x04"sv, "\x04\x03"sv, "\x05\x01"sv, "\x07\x01\x02\x03"sv, "\x09\x01"sv, "\x0b\x01"sv,
        "\x0c"sv, "\x0c\x02x"sv, "\x0c\x80"sv, "\x0c\xff\xff\xff\xff\xff\xff"sv, "\x0d"sv, "\x0f"sv,
        "\x0f\x10"sv, "\x0f\xf6\x02\x0a\x02"sv, "\x0f\xf6\x03\x00\x00\x80"sv, "\x0f\x0c\x01x"sv,
        "\xff"sv}) {
    EXPECT_EQ(Print(document), "malformed");
  }
}

TEST(Json, ContainersMustFitTheirBytes) {
  EXPECT_EQ(Print("\x02\x00\x00\x04\x00"sv), "[]");
  EXPECT_EQ(Print("\x00\x00\x00\x04\x00"sv), "{}");
  EXPECT_EQ(Print("\x02\x00\x00\x05\x00"sv), "malformed") << "larger than what is there";
  EXPECT_EQ(Print("\x02\x00\x00\x03\x00"sv), "malformed") << "smaller than its header";
  EXPECT_EQ(Print("\x02\x01\x00\x04\x00"sv), "malformed") << "no room for the entry";
  EXPECT_EQ(Print("\x03\xff\xff\xff\xff\xff\xff\xff\xff"sv), "malformed");
  EXPECT_EQ(Print("\x02\x01\x00\x07\x00\x05\x07\x00"sv), "[7]");
  EXPECT_EQ(Print("\x02\x01\x00\x07\x00\x0c\x07\x00"sv), "malformed") << "offset at the end";
  EXPECT_EQ(Print("\x02\x01\x00\x07\x00\x0c\xff\xff"sv), "malformed") << "offset beyond";
}

TEST(Json, KeysMustLieInTheirObject) {
  EXPECT_EQ(Print("\x00\x01\x00\x0c\x00\x0b\x00\x01\x00\x05\x07\x00"
                  "k"sv),
            R"({"k": 7})");
  EXPECT_EQ(Print("\x00\x01\x00\x0c\x00\x0b\x00\x02\x00\x05\x07\x00"
                  "k"sv),
            "malformed");
}

// An array of two elements that are both the array itself: endless, were it followed.
TEST(Json, CyclesAreMalformed) {
  EXPECT_EQ(Print("\x02\x02\x00\x0a\x00\x02\x00\x00\x02\x00\x00"sv), "malformed");
}

// Levels of arrays whose elements all point to the next level: 64 levels of 50 elements would be
// 50^64 values.
TEST(Json, SharedBytesAreMalformed) {
  constexpr size_t kLevels = 64;
  constexpr size_t kElements = 50;
  constexpr size_t kLevelBytes = 4 + kElements * 3;
  std::string document = "\x02";
  const auto put16 = [&document](size_t number) {
    document += static_cast<char>(number & 0xff);
    document += static_cast<char>(number >> 8);
  };
  for (size_t level = 0; level < kLevels; ++level) {
    put16(kElements);
    put16((kLevels - level) * kLevelBytes);
    for (size_t i = 0; i < kElements; ++i) {
      document += '\x02';
      put16(kLevelBytes);
    }
  }
  std::string text;
  EXPECT_FALSE(AppendJsonText(document, text));
  EXPECT_LT(text.size(), 10 * document.size());
}

TEST(Json, NestingIsLimited) {
  const auto nested = [](size_t depth) {
    std::string document(1, '\x02');
    for (size_t i = 1; i <= depth; ++i) {
      const size_t size = i == depth ? 4 : 4 + (depth - i) * 7;
      document += i == depth ? "\x00\x00"sv : "\x01\x00"sv;
      document += static_cast<char>(size & 0xff);
      document += static_cast<char>(size >> 8);
      if (i < depth) document += "\x02\x07\x00"sv;
    }
    return document;
  };
  EXPECT_EQ(Print(nested(3)), "[[[]]]");
  EXPECT_EQ(Print(nested(100)), std::string(100, '[') + std::string(100, ']'));
  EXPECT_EQ(Print(nested(101)), "malformed");
}

}  // namespace
}  // namespace penstock::binlog
