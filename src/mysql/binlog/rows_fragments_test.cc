// Fragments of rows events are written by MariaDB from 12.3 on, of which no server can be had here:
// so these logs are made by hand, after the documentation. Not tried against a real server.

#include "mysql/binlog/rows_fragments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "mysql/binlog/event.h"
#include "mysql/binlog/event_for_test.h"
#include "mysql/binlog/event_type.h"

namespace penstock::binlog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Of table 7, which has one column.
std::string InsertOf(std::string_view images) {
  return EventOf(kWriteRowsEventV1, Little(7, 6) + Little(1, 2) + "\1\1" + std::string(images));
}

std::string Fragment(uint32_t sequence, uint32_t total, std::string_view bytes,
                     std::optional<uint64_t> size = std::nullopt) {
  return Little(sequence, 4) + Little(total, 4) + Little(size ? 1 : 0, 1) +
         (size ? Little(*size, 8) : "") + std::string(bytes);
}

// As Fragment, by the length of each part.
std::vector<std::string> Cut(std::string_view whole, size_t length) {
  const auto total = static_cast<uint32_t>((whole.size() + length - 1) / length);
  std::vector<std::string> fragments;
  for (uint32_t i = 0; i < total; ++i) {
    fragments.push_back(Fragment(i + 1, total, whole.substr(i * length, length),
                                 i == 0 ? std::optional(whole.size()) : std::nullopt));
  }
  return fragments;
}

// What comes of each: "", the whole event, or the error.
std::vector<std::string> AddAll(RowsFragments& joiner, const std::vector<std::string>& fragments) {
  std::vector<std::string> answers;
  for (const std::string& fragment : fragments) {
    const auto whole = joiner.Add(fragment);
    EXPECT_TRUE(whole || whole.error().code == ErrorCode::kBadData);
    answers.emplace_back(!whole ? whole.error().message : whole->value_or(""));
  }
  return answers;
}

TEST(RowsFragments, OneAfterTheOther) {
  RowsFragments joiner;
  for (const size_t length : {1U, 3U, 4U, 10U, 11U}) {
    const std::vector<std::string> answers = AddAll(joiner, Cut("0123456789", length));
    EXPECT_EQ(answers.back(), "0123456789");
    EXPECT_EQ(std::count(answers.begin(), answers.end(), ""),
              static_cast<std::ptrdiff_t>(answers.size()) - 1);
  }
}

// The documentation names the total first, the server's source the fragment's own number.
TEST(RowsFragments, EitherNumberMayComeFirst) {
  RowsFragments joiner;
  EXPECT_THAT(AddAll(joiner, {Fragment(3, 1, "ab", 6), Fragment(3, 2, "cd"), Fragment(3, 3, "ef")}),
              ElementsAre("", "", "abcdef"));
}

TEST(RowsFragments, OutOfOrderOrOfAnotherSizeIsBadData) {
  const auto last = [](const std::vector<std::string>& fragments) {
    RowsFragments joiner;
    const std::string answer = AddAll(joiner, fragments).back();
    EXPECT_THAT(AddAll(joiner, Cut("whole", 2)), ElementsAre("", "", "whole")) << "begins anew";
    return answer;
  };
  EXPECT_THAT(last({Fragment(2, 3, "b")}), HasSubstr("out of order"));
  EXPECT_THAT(last({Fragment(1, 3, "a", 3), Fragment(3, 3, "c")}), HasSubstr("out of order"));
  EXPECT_THAT(last({Fragment(1, 3, "a", 3), Fragment(1, 3, "a", 3)}), HasSubstr("out of order"));
  EXPECT_THAT(last({Fragment(1, 3, "a", 3), Fragment(2, 2, "bc")}), HasSubstr("out of order"));
  EXPECT_THAT(last({Fragment(1, 2, "abc", 2)}), HasSubstr("larger"));
  EXPECT_THAT(last({Fragment(1, 2, "a", 2), Fragment(2, 2, "bc")}), HasSubstr("larger"));
  EXPECT_THAT(last({Fragment(1, 2, "a", uint64_t{1} << 32)}), HasSubstr("larger"));
  EXPECT_THAT(last({Fragment(1, 2, "a", 3), Fragment(2, 2, "b")}), HasSubstr("smaller"));
  EXPECT_THAT(last({Fragment(1, 2, "a")}), HasSubstr("malformed"));
  EXPECT_THAT(last({Fragment(1, 2, "a", 3), Fragment(2, 2, "b", 3)}), HasSubstr("malformed"));
  EXPECT_THAT(last({Fragment(0, 2, "a", 3)}), HasSubstr("malformed"));
  EXPECT_THAT(last({"12345678"}), HasSubstr("malformed"));
}

std::string Crc32(std::string_view bytes) {
  return Little(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()), 4);
}

// By the parser: the rows event comes with the last fragment, and ends where that does. Fragments
// have checksums; the event that they make may have one, or only say so.
TEST(RowsFragments, BecomeTheRowsEvent) {
  const std::string plain = InsertOf("images");
  std::string longer = plain;
  longer[9] = static_cast<char>(plain.size() + 4);
  for (const std::string& whole : {plain, longer, longer + Crc32(longer)}) {
    EventParser parser;
    parser.set_checksum(true);
    std::vector<Event> events;
    const std::vector<std::string> fragments = Cut(whole, 20);
    std::string packet;
    for (size_t i = 0; i < fragments.size(); ++i) {
      packet =
          EventOf(kPartialRowDataEvent, fragments[i] + "....", i + 1 == fragments.size() ? 99 : 0);
      packet.resize(packet.size() - 4);
      packet += Crc32(packet);
      const auto event = parser.Parse(packet);
      ASSERT_TRUE(event) << event.error().ToString();
      EXPECT_EQ(std::holds_alternative<Rows>(event->body), i + 1 == fragments.size());
      events.push_back(*event);
    }
    const auto& rows = std::get<Rows>(events.back().body);
    EXPECT_EQ(rows.table_id, 7U);
    EXPECT_EQ(rows.data, "images");
    EXPECT_EQ(events.back().header.end_offset, 99U);
    EXPECT_EQ(events.back().header.type, kWriteRowsEventV1);
  }
}

TEST(RowsFragments, ThatMakeAnotherEventAreBadData) {
  for (const std::string& whole :
       {EventOf(kXidEvent, "12345678"), InsertOf("images") + "x", std::string("no event")}) {
    EventParser parser;
    const std::string packet = EventOf(kPartialRowDataEvent, Cut(whole, whole.size())[0]);
    const auto event = parser.Parse(packet);
    ASSERT_FALSE(event);
    EXPECT_EQ(event.error().code, ErrorCode::kBadData);
  }
}

// A server that died in the middle begins a new file.
TEST(RowsFragments, ANewFileBeginsAnew) {
  EventParser parser;
  const std::vector<std::string> fragments = Cut(InsertOf("images"), 20);
  ASSERT_TRUE(parser.Parse(EventOf(kPartialRowDataEvent, fragments[0])));
  std::string format = Little(4, 2);
  format.resize(2 + 50 + 4, '\0');
  format += '\x13';
  format.append(172, '\x08');
  format += Little(0, 5);
  ASSERT_TRUE(parser.Parse(EventOf(kFormatDescriptionEvent, format)));
  EXPECT_TRUE(parser.Parse(EventOf(kPartialRowDataEvent, fragments[0])));
}

}  // namespace
}  // namespace penstock::binlog
