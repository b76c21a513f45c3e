#include "mysql/binlog/transaction_payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <zstd.h>

#include "mysql/binlog/event.h"
#include "mysql/binlog/event_for_test.h"
#include "mysql/binlog/event_type.h"

namespace penstock::binlog {
namespace {

using testing::HasSubstr;

std::string Zstd(std::string_view plain, int window_log = 0) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  std::string out(ZSTD_compressBound(plain.size()), '\0');
  // In a stream, which does not say its size and so has a window as large as it may have.
  ZSTD_inBuffer in{plain.data(), plain.size(), 0};
  ZSTD_outBuffer buffer{out.data(), out.size(), 0};
  ZSTD_compressStream2(context, &buffer, &in, ZSTD_e_flush);
  EXPECT_EQ(ZSTD_compressStream2(context, &buffer, &in, ZSTD_e_end), 0U);
  ZSTD_freeCCtx(context);
  out.resize(buffer.pos);
  return out;
}

// All events, or those before the error and its text.
std::vector<std::string> ReadAll(TransactionPayloadReader& reader, std::string_view compressed,
                                 uint64_t size, bool zstd = true) {
  reader.Begin({.zstd = zstd, .size = size, .data = compressed});
  std::vector<std::string> events;
  while (true) {
    const auto event = reader.Next();
    EXPECT_TRUE(event || event.error().code == ErrorCode::kBadData);
    if (!event) events.push_back(event.error().message);
    if (!event || !*event) break;
    events.emplace_back(**event);
  }
  const auto after = reader.Next();
  EXPECT_TRUE(after && !*after) << "nothing after the end";
  return events;
}

std::string Joined(const std::vector<std::string>& events) {
  std::string all;
  for (const std::string& event : events) all += event;
  return all;
}

RC_GTEST_PROP(TransactionPayload, EventsOfAnySizeInAnyForm, ()) {
  std::vector<std::string> events;
  for (size_t i = 0, count = *rc::gen::inRange<size_t>(0, 40); i < count; ++i) {
    const auto size = *rc::gen::inRange<size_t>(0, *rc::gen::element(3U, 3'000U, 700'000U));
    events.push_back(EventOf(kXidEvent, std::string(size, static_cast<char>('a' + i))));
  }
  const std::string all = Joined(events);
  // A payload may be of several frames, too.
  const size_t cut = all.size() / 3;
  TransactionPayloadReader reader;
  RC_ASSERT(ReadAll(reader, Zstd(all), all.size()) == events);
  RC_ASSERT(ReadAll(reader, Zstd(all.substr(0, cut)) + Zstd(all.substr(cut)), all.size()) ==
            events);
  RC_ASSERT(ReadAll(reader, all, all.size(), /*zstd=*/false) == events);
}

TEST(TransactionPayload, MalformedOnesAreBadData) {
  const std::string one = EventOf(kXidEvent, "12345678");
  const std::string three = one + one + one;
  const auto read = [](std::string_view compressed, uint64_t size, bool zstd = true) {
    TransactionPayloadReader reader;
    return ReadAll(reader, compressed, size, zstd).back();
  };
  const std::string compressed = Zstd(three);
  EXPECT_THAT(read(compressed, three.size() + 1), HasSubstr("shorter than it says"));
  EXPECT_THAT(read(compressed, three.size() - 1), HasSubstr("impossible size"));
  EXPECT_THAT(read(compressed.substr(0, compressed.size() - 1), three.size()),
              HasSubstr("ends too early"));
  EXPECT_THAT(read(compressed + "x", three.size()), HasSubstr("Unknown frame"));
  EXPECT_THAT(read(compressed + compressed, three.size()), HasSubstr("impossible size"));
  EXPECT_THAT(read("no zstd", three.size()), HasSubstr("Unknown frame"));
  EXPECT_THAT(read("", three.size()), HasSubstr("shorter than it says"));
  EXPECT_THAT(read(three.substr(0, three.size() - 1), three.size() - 1, false),
              HasSubstr("impossible size"));
  EXPECT_THAT(read(three + one.substr(0, 5), three.size() + 5, false),
              HasSubstr("middle of an event"));
  std::string tiny = one;
  tiny[9] = 18;
  EXPECT_THAT(read(tiny, tiny.size(), false), HasSubstr("impossible size"));
}

// What it claims costs nothing; only what comes does.
TEST(TransactionPayload, Limits) {
  const std::string one = EventOf(kXidEvent, "12345678");
  std::string huge = EventOf(kXidEvent, std::string(1 << 20, 'x'));
  huge.replace(9, 4, Little(TransactionPayloadReader::kEventBytesMax, 4));
  TransactionPayloadReader reader;
  EXPECT_THAT(ReadAll(reader, Zstd(huge), uint64_t{1} << 40).back(), HasSubstr("ends"));
  huge.replace(9, 4, Little(TransactionPayloadReader::kEventBytesMax + 1, 4));
  EXPECT_THAT(ReadAll(reader, Zstd(huge), uint64_t{1} << 40).back(), HasSubstr("1 GiB"));

  const std::vector<std::string> alone = {one};
  EXPECT_EQ(ReadAll(reader, Zstd(one, TransactionPayloadReader::kWindowLogMax), one.size()), alone);
  EXPECT_THAT(
      ReadAll(reader, Zstd(one, TransactionPayloadReader::kWindowLogMax + 1), one.size())[0],
      HasSubstr("too much memory"));
}

// Fields: 1 is the size of the data, 2 the compression, 3 the size of the events; 0 ends them.
TEST(TransactionPayload, Fields) {
  const auto parse = [](std::string_view bytes) {
    ByteReader reader(bytes);
    const TransactionPayload payload = ParseTransactionPayload(reader);
    return reader.ok()
               ? fmt::format("{} {} {}", payload.zstd ? "zstd" : "none", payload.size, payload.data)
               : "malformed";
  };
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(parse("\1\1\3\2\1\0\3\3\xfc\x10\x27\0abc"sv), "zstd 10000 abc");
  EXPECT_EQ(parse("\2\3\xfc\xff\0\1\1\3\0abc"sv), "none 3 abc");
  EXPECT_EQ(parse("\1\1\3\2\1\0\x09\2??\3\1\7\0abc"sv), "zstd 7 abc") << "a field to come";
  EXPECT_EQ(parse("\1\1\4\2\1\0\3\1\7\0abc"sv), "malformed");
  EXPECT_EQ(parse("\1\1\3\2\1\1\3\1\7\0abc"sv), "malformed") << "another compression";
  EXPECT_EQ(parse("\1\1\3\2\1\0\3\0\0abc"sv), "malformed");
  EXPECT_EQ(parse("\1\1\3\2\1\0\3\1\7"sv), "malformed");
}

std::string PayloadOf(std::string_view events) {
  const std::string data(events);
  return EventOf(kTransactionPayloadEvent,
                 "\1\1" + Little(data.size(), 1) + "\2\3\xfc\xff" + Little(0, 2) + data);
}

// By the parser, whose state such events would change.
TEST(TransactionPayload, HoldsNoPayloadsNorFormats) {
  const std::array<uint8_t, 2> types = {kTransactionPayloadEvent, kFormatDescriptionEvent};
  for (const uint8_t type : types) {
    const std::string packet = PayloadOf(EventOf(type, std::string(120, '\0')));
    EventParser parser;
    ASSERT_TRUE(parser.Parse(packet));
    const auto inside = parser.NextInPayload();
    ASSERT_FALSE(inside);
    EXPECT_THAT(inside.error().message, HasSubstr(EventTypeName(type)));
  }
}

}  // namespace
}  // namespace penstock::binlog
