#include "base/byte_reader.h"

#include <gtest/gtest.h>

namespace penstock {
namespace {

using std::string_view_literals::operator""sv;

TEST(ByteReader, ReadsFieldsInOrder) {
  ByteReader reader(
      "\x01"
      "\x02\x01"
      "\x03\x02\x01"
      "\x04\x03\x02\x01"
      "\x06\x05\x04\x03\x02\x01"
      "\x08\x07\x06\x05\x04\x03\x02\x01"
      "\x01\x02\x03"
      "rest"sv);
  EXPECT_EQ(reader.U8(), 0x01U);
  EXPECT_EQ(reader.U16(), 0x0102U);
  EXPECT_EQ(reader.U24(), 0x010203U);
  EXPECT_EQ(reader.U32(), 0x01020304U);
  EXPECT_EQ(reader.U48(), 0x010203040506U);
  EXPECT_EQ(reader.U64(), 0x0102030405060708U);
  EXPECT_EQ(reader.Big(3), 0x010203U);
  EXPECT_EQ(reader.remaining(), 4U);
  EXPECT_EQ(reader.Bytes(1), "r");
  EXPECT_EQ(reader.Rest(), "est");
  EXPECT_TRUE(reader.AtEnd());
  EXPECT_TRUE(reader.ok());
}

TEST(ByteReader, ReadsRawFloats) {
  const double number = -1.5;
  ByteReader reader(std::string_view(reinterpret_cast<const char*>(&number), sizeof(number)));
  EXPECT_EQ(reader.Raw<double>(), -1.5);
  EXPECT_EQ(reader.Raw<float>(), 0.0F);
  EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, NoBytesAreReadAtTheEnd) {
  ByteReader reader("");
  EXPECT_EQ(reader.Bytes(0), "");
  EXPECT_EQ(reader.Rest(), "");
  EXPECT_TRUE(reader.ok());
}

TEST(ByteReader, FailureSticks) {
  ByteReader reader("\x01\x02\x03"sv);
  EXPECT_EQ(reader.U32(), 0U);
  EXPECT_FALSE(reader.ok());
  EXPECT_TRUE(reader.AtEnd());
  EXPECT_EQ(reader.U8(), 0U);
  EXPECT_EQ(reader.Bytes(0), "");
  EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, LengthsBeyondTheEndFail) {
  ByteReader bytes("abc"sv);
  EXPECT_EQ(bytes.Bytes(4), "");
  EXPECT_FALSE(bytes.ok());
  ByteReader huge("abc"sv);
  huge.Skip(SIZE_MAX);
  EXPECT_FALSE(huge.ok());
}

TEST(ByteReader, LengthEncodedIntegers) {
  ByteReader reader("\xfa\xfc\xfb\x00\xfd\x01\x00\x01\xfe\xff\xff\xff\xff\xff\xff\xff\xff"sv);
  EXPECT_EQ(reader.LengthEncoded(), 0xfaU);
  EXPECT_EQ(reader.LengthEncoded(), 0xfbU);
  EXPECT_EQ(reader.LengthEncoded(), 0x010001U);
  EXPECT_EQ(reader.LengthEncoded(), UINT64_MAX);
  EXPECT_TRUE(reader.ok());
  for (const auto reserved : {"\xfb"sv, "\xff"sv, "\xfe\x01"sv}) {
    ByteReader bad(reserved);
    bad.LengthEncoded();
    EXPECT_FALSE(bad.ok());
  }
}

TEST(ByteReader, LengthEncodedBytes) {
  ByteReader reader(
      "\x03"
      "abc\xfe\xff\xff\xff\xff\xff\xff\xff\xff"sv);
  EXPECT_EQ(reader.LengthEncodedBytes(), "abc");
  EXPECT_EQ(reader.LengthEncodedBytes(), "");
  EXPECT_FALSE(reader.ok());
}

}  // namespace
}  // namespace penstock
