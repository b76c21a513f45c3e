#include "mysql/wire/packet_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace penstock::mysql {
namespace {

using testing::HasSubstr;

constexpr size_t kBytesMax = 1 << 30;
constexpr size_t kSplitBytes = 0xffffff;

std::string Packet(uint8_t sequence, std::string_view payload) {
  std::string packet;
  for (int shift = 0; shift < 24; shift += 8) {
    packet += static_cast<char>(payload.size() >> shift & 0xff);
  }
  packet += static_cast<char>(sequence);
  return packet.append(payload);
}

// What a connection sends, `piece` bytes at each read, and then its end.
PacketReader::Read Sends(std::string bytes, size_t piece) {
  return [bytes = std::move(bytes), piece, at = size_t{0}](char* to, size_t room) mutable {
    const size_t count = std::min({piece, room, bytes.size() - at});
    std::memcpy(to, bytes.data() + at, count);
    at += count;
    return static_cast<ssize_t>(count);
  };
}

TEST(PacketReaderTest, PacketsComeInAnyPieces) {
  std::string bytes;
  std::vector<std::string> payloads;
  for (size_t i = 0; i < 600; ++i) {
    payloads.emplace_back(i * 7 % 900, static_cast<char>('a' + i % 26));
    bytes += Packet(static_cast<uint8_t>(i + 250), payloads.back());
  }
  for (const size_t piece : {size_t{1}, size_t{3}, size_t{1000}, bytes.size()}) {
    PacketReader reader(Sends(bytes, piece), 250, kBytesMax);
    for (const std::string& payload : payloads) ASSERT_EQ(reader.Next().value(), payload);
    EXPECT_EQ(reader.Next().error().code, ErrorCode::kRetry);
  }
}

TEST(PacketReaderTest, WhatHasArrivedIsTakenAtOnce) {
  std::string bytes;
  for (uint8_t i = 0; i < 5; ++i) bytes += Packet(i, std::string("\0row", 4) + std::to_string(i));
  bytes += Packet(5, "\xfe") + Packet(6, std::string("\0half", 5));
  bytes.pop_back();
  PacketReader reader(Sends(bytes, bytes.size()), 0, kBytesMax);
  std::array<std::string_view, 3> rows;
  EXPECT_EQ(reader.TakeReady(0, rows), 0U) << "nothing was read yet";
  EXPECT_EQ(reader.Next().value(), std::string_view("\0row0", 5));
  EXPECT_EQ(reader.TakeReady(0, rows), 3U);
  EXPECT_EQ(rows[2], std::string_view("\0row3", 5));
  EXPECT_EQ(reader.TakeReady(0, rows), 1U);
  EXPECT_EQ(rows[0], std::string_view("\0row4", 5));
  EXPECT_EQ(reader.TakeReady(0, rows), 0U) << "another kind of packet";
  EXPECT_EQ(reader.Next().value(), "\xfe");
  EXPECT_EQ(reader.TakeReady(0, rows), 0U) << "not whole";
  EXPECT_EQ(reader.Next().error().code, ErrorCode::kRetry);
}

TEST(PacketReaderTest, WhatIsOutOfOrderIsNotTaken) {
  PacketReader reader(Sends(Packet(0, "a") + Packet(2, "a"), 100), 0, kBytesMax);
  std::array<std::string_view, 3> rows;
  EXPECT_EQ(reader.Next().value(), "a");
  EXPECT_EQ(reader.TakeReady('a', rows), 0U);
  EXPECT_EQ(reader.Next().error().code, ErrorCode::kBadData);
}

TEST(PacketReaderTest, APacketMayBeLargerThanTheBuffer) {
  const std::string large(3 * PacketReader::kBufferBytes, 'x');
  PacketReader reader(Sends(Packet(0, "a") + Packet(1, large) + Packet(2, "b"), 5000), 0,
                      kBytesMax);
  EXPECT_EQ(reader.Next().value(), "a");
  EXPECT_EQ(reader.Next().value(), large);
  EXPECT_EQ(reader.Next().value(), "b");
}

TEST(PacketReaderTest, SplitPacketsAreJoined) {
  const std::string whole(kSplitBytes, 'x');
  const std::string bytes = Packet(0, whole) + Packet(1, whole) + Packet(2, "end") +
                            Packet(3, "next") + Packet(4, whole) + Packet(5, "") + Packet(6, "z");
  PacketReader reader(Sends(bytes, 1 << 20), 0, kBytesMax);
  EXPECT_EQ(reader.Next().value(), whole + whole + "end");
  EXPECT_EQ(reader.Next().value(), "next");
  EXPECT_EQ(reader.Next().value(), whole);
  EXPECT_EQ(reader.Next().value(), "z");
}

TEST(PacketReaderTest, WhatIsTooLargeIsRefusedBeforeItIsRead) {
  PacketReader one(Sends(Packet(0, std::string(1001, 'x')).substr(0, 4), 100), 0, 1000);
  EXPECT_THAT(one.Next().error().message, HasSubstr("more than 1000 bytes"));
  PacketReader joined(Sends(Packet(0, std::string(kSplitBytes, 'x')) + Packet(1, "y"), 1 << 20), 0,
                      kSplitBytes);
  EXPECT_EQ(joined.Next().error().code, ErrorCode::kBadData);
}

TEST(PacketReaderTest, OrderIsHeld) {
  PacketReader reader(Sends(Packet(3, "a") + Packet(5, "b"), 100), 3, kBytesMax);
  EXPECT_TRUE(reader.Next().has_value());
  EXPECT_THAT(reader.Next().error().message, HasSubstr("out of order"));
}

TEST(PacketReaderTest, AConnectionThatEndsWithinAPacketIsLost) {
  const std::string packet = Packet(0, "abc");
  for (size_t length = 0; length < packet.size(); ++length) {
    PacketReader reader(Sends(packet.substr(0, length), 2), 0, kBytesMax);
    EXPECT_EQ(reader.Next().error().code, ErrorCode::kRetry);
  }
}

}  // namespace
}  // namespace penstock::mysql
