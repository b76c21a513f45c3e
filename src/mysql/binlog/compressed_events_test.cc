// Logs of one session, captured from servers that compressed it and from the same that did not,
// tell the same; and compressed events that are malformed are refused.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "mysql/binlog/capture_for_test.h"
#include "mysql/binlog/event.h"
#include "mysql/binlog/event_for_test.h"
#include "mysql/binlog/event_type.h"

namespace penstock::binlog {
namespace {

using testing::HasSubstr;

// What an event does to data, without what differs from run to run.
std::string Effect(const Event& event) {
  if (const auto* query = std::get_if<Query>(&event.body)) return std::string(query->sql);
  if (const auto* map = std::get_if<TableMap>(&event.body)) {
    return fmt::format("map {}", map->table);
  }
  if (const auto* rows = std::get_if<Rows>(&event.body)) {
    return fmt::format("{} {} {}: {}", static_cast<int>(rows->kind), rows->present,
                       rows->present_after, rows->data);
  }
  return std::holds_alternative<Xid>(event.body) ? "xid" : "";
}

struct Log {
  std::vector<std::string> effects;
  size_t compressed = 0;  // events
  size_t largest = 0;     // bytes of a rows event's images
};

void Add(Log& log, const Event& event) {
  if (event.header.type == kTransactionPayloadEvent ||
      (event.header.type >= kQueryCompressedEvent &&
       event.header.type <= kDeleteRowsCompressedEvent)) {
    ++log.compressed;
  }
  if (const auto* rows = std::get_if<Rows>(&event.body)) {
    log.largest = std::max(log.largest, rows->data.size());
  }
  if (std::string effect = Effect(event); !effect.empty()) log.effects.push_back(std::move(effect));
}

Log Read(const std::string& name) {
  const Capture capture = LoadCapture(name);
  EventParser parser;
  parser.set_checksum(capture.checksum_asked_for);
  Log log;
  for (const std::string& packet : capture.events) {
    const auto event = parser.Parse(packet);
    EXPECT_TRUE(event) << event.error().ToString();
    if (!event) continue;
    Add(log, *event);
    for (auto inside = parser.NextInPayload(); !inside || *inside;
         inside = parser.NextInPayload()) {
      EXPECT_TRUE(inside) << inside.error().ToString();
      if (!inside) break;
      Add(log, **inside);
      EXPECT_EQ((*inside)->header.end_offset, event->header.end_offset);
    }
  }
  return log;
}

TEST(CompressedEvents, TellWhatPlainOnesDo) {
  for (const std::string server : {"mysql97", "mariadb1011", "mariadb118"}) {
    SCOPED_TRACE(server);
    const Log plain = Read(server + "-events");
    const Log compressed = Read(server + "-events-compressed");
    EXPECT_EQ(plain.compressed, 0U);
    EXPECT_GE(compressed.compressed, 2U);
    EXPECT_GT(plain.largest, 600'000U) << "more than a reader's buffer";
    EXPECT_EQ(plain.effects, compressed.effects);
  }
}

TEST(CompressedEvents, OfTheHighestLevel) {
  EXPECT_EQ(Read("mysql97-events").effects, Read("mysql97-events-level22").effects);
}

// As MariaDB does, with another claim of its length, perhaps.
std::string Deflated(std::string_view plain, size_t length) {
  std::string out(compressBound(plain.size()), '\0');
  uLongf size = out.size();
  EXPECT_EQ(compress(reinterpret_cast<Bytef*>(out.data()), &size,
                     reinterpret_cast<const Bytef*>(plain.data()), plain.size()),
            Z_OK);
  out.resize(size);
  return "\x82" + Little(length >> 8, 1) + Little(length, 1) + out;
}

// A rows event's post header, of one column, before its images.
std::string RowsHead(bool version2) {
  return Little(7, 6) + Little(1, 2) + (version2 ? Little(2, 2) : "") + "\1\1";
}

// Version 2, which MariaDB knows and does not write: so no server can be asked for it.
TEST(CompressedEvents, RowsOfBothVersions) {
  const std::string images(2000, 'r');
  const std::array<uint8_t, 2> insert_types = {kWriteRowsCompressedEventV1,
                                               kWriteRowsCompressedEvent};
  for (const uint8_t type : insert_types) {
    const std::string packet =
        EventOf(type, RowsHead(type == kWriteRowsCompressedEvent) + Deflated(images, 2000));
    EventParser parser;
    const auto event = parser.Parse(packet);
    ASSERT_TRUE(event) << event.error().ToString();
    const auto& rows = std::get<Rows>(event->body);
    EXPECT_EQ(rows.kind, RowsKind::kInsert);
    EXPECT_EQ(rows.table_id, 7U);
    EXPECT_TRUE(rows.statement_end);
    EXPECT_EQ(rows.data, images);
  }
}

TEST(CompressedEvents, MalformedBodiesAreBadData) {
  const std::string images(2000, 'r');
  const std::string good = Deflated(images, 2000);
  std::string cut = good.substr(0, good.size() - 1);
  std::string another_method = good;
  another_method[0] = '\x92';
  std::string longer_length = good;
  longer_length[0] = '\x87';
  for (const std::string& body : {Deflated(images, 1999), Deflated(images, 2001), cut, good + "x",
                                  another_method, longer_length, std::string(), std::string("\x81"),
                                  "\x84\xff\xff\xff\xff" + good.substr(3)}) {
    EventParser parser;
    const std::string packet = EventOf(kWriteRowsCompressedEventV1, RowsHead(false) + body);
    const auto event = parser.Parse(packet);
    ASSERT_FALSE(event);
    EXPECT_EQ(event.error().code, ErrorCode::kBadData);
    EXPECT_THAT(event.error().message, HasSubstr("WRITE_ROWS_COMPRESSED_EVENT_V1"));
  }
}

}  // namespace
}  // namespace penstock::binlog
