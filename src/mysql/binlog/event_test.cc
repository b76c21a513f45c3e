#include "mysql/binlog/event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include "mysql/binlog/capture_for_test.h"
#include "mysql/binlog/event_type.h"

namespace penstock::binlog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

// One line per event without what changes from capture to capture.
std::string Describe(const Event& event) {
  const auto rows_text = [](const Rows& rows) {
    constexpr std::array<std::string_view, 3> kKinds = {"insert", "update", "delete"};
    return fmt::format("{} of {} columns{}{}", kKinds[static_cast<size_t>(rows.kind)],
                       rows.column_count, rows.partial_json ? ", partial" : "",
                       rows.statement_end ? "" : ", more follow");
  };
  return std::visit(
      Overloaded{
          [](const FormatDescription& body) {
            return fmt::format("format {}", body.checksum ? "crc32" : "none");
          },
          [](const Rotate& body) { return fmt::format("rotate {}", body.next_offset); },
          [](const MysqlGtidEvent& body) {
            if (!body.gtid) return std::string("anonymous");
            return fmt::format("gtid {}:{}{}", body.gtid->tag.view(), body.gtid->number,
                               body.commit_micros > 1'600'000'000'000'000 ? "" : ", no time");
          },
          [](const MariadbGtidEvent& body) {
            return fmt::format("gtid {}-{}-{}{}{}", body.gtid.domain, body.gtid.server != 0,
                               body.gtid.sequence, body.standalone ? " standalone" : "",
                               body.prepared_xa ? " prepared" : "");
          },
          [](const Query& body) {
            return fmt::format("query{}{}{} {}: {}", body.client_is_utf8 ? "" : " not utf8",
                               body.ansi_quotes ? " ansi" : "",
                               body.no_backslash_escapes ? " raw" : "", body.schema, body.sql);
          },
          [](const Xid&) { return std::string("xid"); },
          [](const TableMap& body) {
            return fmt::format("map {}.{} of {} columns", body.schema, body.table,
                               body.types.size());
          },
          rows_text,
          [](const Heartbeat& body) { return fmt::format("heartbeat {}", body.offset); },
          [](const PreviousGtids&) { return std::string("previous gtids"); },
          [](const XaPrepare& body) {
            return std::string(body.one_phase ? "xa one phase" : "xa prepare");
          },
          [](const TransactionPayload&) { return std::string("payload"); },
          [](const Incident& body) { return fmt::format("incident {}", body.message); },
          [&event](const Ignored&) { return "ignored " + EventTypeName(event.header.type); },
          [](const Unknown& body) { return "unknown " + EventTypeName(body.type); },
      },
      event.body);
}

std::vector<std::string> DescribeAll(const Capture& capture) {
  EventParser parser;
  parser.set_checksum(capture.checksum_asked_for);
  std::vector<std::string> lines;
  for (const std::string& packet : capture.events) {
    const auto event = parser.Parse(packet);
    lines.push_back(event ? Describe(*event) : event.error().ToString());
    for (auto inside = parser.NextInPayload(); !inside || *inside;
         inside = parser.NextInPayload()) {
      lines.push_back("  " + (inside ? Describe(**inside) : inside.error().ToString()));
    }
  }
  return lines;
}

std::vector<std::string> ExpectedLines(const std::string& name) {
  std::ifstream file(std::string(PENSTOCK_TESTDATA "/binlog/") + name + ".expected");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// A session of everything: DDL, rows, XA, other engines, statement format, LOAD DATA, tagged GTIDs,
// compression. The statements are in the captures.
TEST(EventParser, SessionOfMysql) {
  EXPECT_EQ(DescribeAll(LoadCapture("mysql97-session")), ExpectedLines("mysql-session"));
}

TEST(EventParser, SessionOfMariadb) {
  const auto expected = ExpectedLines("mariadb-session");
  EXPECT_EQ(DescribeAll(LoadCapture("mariadb1011-session")), expected);
  EXPECT_EQ(DescribeAll(LoadCapture("mariadb118-session")), expected);
}

// Four files, with checksums in the second and third only: each artificial rotation is in the form
// of the file before it.
TEST(EventParser, FollowsChecksumsFromFileToFile) {
  for (const char* name : {"mysql97-rotation", "mariadb1011-rotation", "mariadb118-rotation"}) {
    SCOPED_TRACE(name);
    const Capture capture = LoadCapture(name);
    EventParser parser;
    parser.set_checksum(capture.checksum_asked_for);
    std::vector<bool> checksums;
    std::vector<std::string> files;
    std::vector<std::string> statements;
    for (const std::string& packet : capture.events) {
      const auto event = parser.Parse(packet);
      ASSERT_TRUE(event) << event.error().ToString();
      if (const auto* format = std::get_if<FormatDescription>(&event->body)) {
        checksums.push_back(format->checksum);
        EXPECT_TRUE(format->server_version.starts_with("9.7.") ||
                    format->server_version.starts_with("1"));
      } else if (const auto* rotate = std::get_if<Rotate>(&event->body)) {
        files.emplace_back(rotate->next_file);
      } else if (const auto* query = std::get_if<Query>(&event->body)) {
        statements.emplace_back(query->sql);
      }
    }
    EXPECT_THAT(checksums, ElementsAre(false, true, true, false));
    ASSERT_EQ(files.size(), 7U) << "one at the start; then a real and an artificial one per file";
    for (size_t i = 1; i < files.size(); i += 2) EXPECT_EQ(files[i], files[i + 1]);
    for (const std::string& file : files)
      EXPECT_THAT(file, testing::ContainsRegex("^[a-z]+[.][0-9]+$"));
    EXPECT_EQ(statements.size(), 4U);
  }
}

TEST(EventParser, Heartbeats) {
  for (const char* name : {"mysql97-heartbeat", "mysql97-heartbeat-v2", "mariadb1011-heartbeat",
                           "mariadb118-heartbeat"}) {
    SCOPED_TRACE(name);
    const Capture capture = LoadCapture(name);
    EventParser parser;
    parser.set_checksum(capture.checksum_asked_for);
    std::string file;
    uint64_t end_of_log = 0;
    std::optional<Heartbeat> heartbeat;
    for (const std::string& packet : capture.events) {
      const auto event = parser.Parse(packet);
      ASSERT_TRUE(event) << event.error().ToString();
      if (const auto* rotate = std::get_if<Rotate>(&event->body)) file = rotate->next_file;
      if (const auto* body = std::get_if<Heartbeat>(&event->body)) {
        heartbeat = *body;
      } else {
        end_of_log = event->header.end_offset;
      }
    }
    ASSERT_TRUE(heartbeat);
    EXPECT_EQ(heartbeat->file, file);
    EXPECT_EQ(heartbeat->offset, end_of_log);
  }
}

// The first event of a capture whose body is a Body.
template <typename Wanted>
Event First(const Capture& capture, EventParser& parser) {
  parser.set_checksum(capture.checksum_asked_for);
  for (const std::string& packet : capture.events) {
    auto event = parser.Parse(packet);
    if (event && std::holds_alternative<Wanted>(event->body)) return *event;
  }
  PENSTOCK_CHECK(false);
  std::abort();
}

TEST(EventParser, GtidWithCommitTime) {
  const Capture capture = LoadCapture("mysql97-session");
  EventParser parser;
  const Event event = First<MysqlGtidEvent>(capture, parser);
  const auto& body = std::get<MysqlGtidEvent>(event.body);
  ASSERT_TRUE(body.gtid);
  EXPECT_EQ(body.gtid->number, 1U);
  EXPECT_NE(body.gtid->uuid, decltype(body.gtid->uuid)());
  const auto seconds = static_cast<int64_t>(body.commit_micros / 1'000'000);
  EXPECT_LE(std::abs(seconds - int64_t{event.header.timestamp}), 2);
}

TEST(EventParser, TaggedGtidOfAnotherServer) {
  const Capture capture = LoadCapture("mysql97-session");
  EventParser parser;
  parser.set_checksum(capture.checksum_asked_for);
  std::string last;
  for (const std::string& packet : capture.events) {
    const auto event = parser.Parse(packet);
    ASSERT_TRUE(event);
    const auto* body = std::get_if<MysqlGtidEvent>(&event->body);
    if (body != nullptr && body->gtid) last = body->gtid->ToString();
  }
  EXPECT_EQ(last,
            "11111111-2222-3333-4444-5555555555ff:tag_of_exactly_thirty_two_chars_:1234567890123");
}

// Such as a log without checksums could tell; no checkpoint could keep it.
TEST(EventParser, MalformedTagIsBadData) {
  const Capture capture = LoadCapture("mysql97-session");
  for (const char wrong : {'P', '\n', ':', '\0'}) {
    EventParser parser;
    parser.set_checksum(capture.checksum_asked_for);
    parser.set_verify_checksum(false);
    size_t refused = 0;
    for (std::string packet : capture.events) {
      const size_t tag = packet.find("tag_of_exactly");
      const bool is_tagged = packet[4] == kGtidTaggedEvent && tag != std::string::npos;
      if (is_tagged) packet[tag] = wrong;
      const auto event = parser.Parse(packet);
      ASSERT_EQ(event.has_value(), !is_tagged);
      refused += is_tagged ? 1 : 0;
    }
    EXPECT_EQ(refused, 1U);
  }
}

TEST(EventParser, TableMapWithFullMetadata) {
  for (const char* name : {"mysql97-vectors", "mariadb1011-vectors", "mariadb118-vectors"}) {
    const Capture capture = LoadCapture(name);
    EventParser parser;
    const Event event = First<TableMap>(capture, parser);
    const auto& map = std::get<TableMap>(event.body);
    EXPECT_EQ(map.schema, "capture");
    EXPECT_EQ(map.table, "vectors0");
    const model::Table& table = capture.tables[0].table;
    ASSERT_EQ(map.names.size(), table.columns.size());
    ASSERT_EQ(map.is_unsigned.size(), table.columns.size());
    for (size_t i = 0; i < table.columns.size(); ++i) {
      EXPECT_EQ(map.names[i], table.columns[i].name);
      if (table.columns[i].type <= model::SqlType::kDouble) {
        EXPECT_EQ(map.is_unsigned[i] != 0, table.columns[i].is_unsigned) << map.names[i];
      }
    }
  }
}

TEST(EventParser, TableMapWithoutMetadata) {
  const Capture mysql = LoadCapture("mysql97-vectors-bare");
  EventParser parser;
  const Event minimal = First<TableMap>(mysql, parser);
  EXPECT_TRUE(std::get<TableMap>(minimal.body).names.empty());
  EXPECT_FALSE(std::get<TableMap>(minimal.body).is_unsigned.empty()) << "MINIMAL has the signs";
  const Capture mariadb = LoadCapture("mariadb1011-vectors-bare");
  const Event none = First<TableMap>(mariadb, parser);
  EXPECT_TRUE(std::get<TableMap>(none.body).names.empty());
  EXPECT_TRUE(std::get<TableMap>(none.body).is_unsigned.empty());
}

TEST(EventParser, AnyFlippedByteIsFoundByTheChecksum) {
  const Capture capture = LoadCapture("mysql97-changes");
  for (const std::string& packet : capture.events) {
    for (size_t i = 0; i < packet.size(); i += 7) {
      std::string flipped = packet;
      flipped[i] = static_cast<char>(flipped[i] ^ 0x10);
      EventParser parser;
      parser.set_checksum(true);
      const auto event = parser.Parse(flipped);
      ASSERT_FALSE(event) << "byte " << i;
      EXPECT_NE(event.error().code, ErrorCode::kInternal);
    }
  }
}

TEST(EventParser, UnverifiedChecksumIsStillCutOff) {
  const Capture capture = LoadCapture("mysql97-changes");
  EventParser parser;
  parser.set_checksum(true);
  parser.set_verify_checksum(false);
  std::string rotate = capture.events[0];
  rotate.back() = static_cast<char>(rotate.back() ^ 1);
  const auto event = parser.Parse(rotate);
  ASSERT_TRUE(event) << event.error().ToString();
  EXPECT_THAT(std::string(std::get<Rotate>(event->body).next_file),
              testing::ContainsRegex("[.][0-9]+$"));
}

// An event cut short (with its header's size put right) is parsed as something or refused.
TEST(EventParser, CutEventsAreHarmless) {
  for (const char* name : {"mysql97-session", "mariadb118-session"}) {
    std::string format;
    for (const std::string& packet : LoadCapture(name).events) {
      if (packet[4] == kFormatDescriptionEvent) format = packet;
      for (size_t length = 0; length < packet.size(); ++length) {
        std::string cut = packet.substr(0, length);
        if (length >= 13) {
          for (size_t i = 0; i < 4; ++i) cut[9 + i] = static_cast<char>(length >> (8 * i));
        }
        EventParser parser;
        parser.set_checksum(true);
        if (!format.empty()) (void)parser.Parse(format);
        const auto event = parser.Parse(cut);
        EXPECT_TRUE(event || event.error().code == ErrorCode::kBadData ||
                    event.error().code == ErrorCode::kNeedsUser);
      }
    }
  }
}

std::string MakeEvent(uint8_t type, uint16_t flags, std::string_view body) {
  std::string packet(19, '\0');
  packet[4] = static_cast<char>(type);
  packet[9] = static_cast<char>(19 + body.size());
  packet[17] = static_cast<char>(flags);
  return packet.append(body);
}

std::string ParseOne(uint8_t type, uint16_t flags, std::string_view body) {
  EventParser parser;
  const std::string packet = MakeEvent(type, flags, body);
  const auto event = parser.Parse(packet);
  return event ? Describe(*event) : event.error().ToString();
}

TEST(EventParser, UnknownEventsAreIgnoredOnlyIfTheySayThatTheyMayBe) {
  EXPECT_EQ(ParseOne(99, 0, "x"), "unknown event type 99");
  EXPECT_EQ(ParseOne(99, kIgnorableFlag, "x"), "ignored event type 99");
  EXPECT_EQ(ParseOne(6, 0, ""), "unknown LOAD_EVENT");
}

TEST(EventParser, Incident) {
  EXPECT_EQ(ParseOne(kIncidentEvent, 0, std::string_view("\1\0\5oh no", 8)), "incident oh no");
  EXPECT_THAT(ParseOne(kIncidentEvent, 0, std::string_view("\1\0\5oh", 5)),
              HasSubstr("INCIDENT_EVENT ending at 0 is malformed"));
}

// Found by event_fuzz: the length of the metadata is beyond the end, so nothing is where it should
// be read.
TEST(EventParser, TableMapWithoutItsMetadataIsMalformed) {
  const std::string_view body("M\0\0\0\0\0\1\0\7capture\0\6ledger\0\2\0\0\xf4\2\0\0", 31);
  EXPECT_THAT(ParseOne(kTableMapEvent, 0, body), HasSubstr("malformed"));
}

TEST(EventParser, GtidNumbersAreChecked) {
  const std::string zero(25, '\0');
  EXPECT_THAT(ParseOne(kGtidEvent, 0, zero), HasSubstr("malformed"));
  EXPECT_EQ(ParseOne(kAnonymousGtidEvent, 0, zero), "anonymous");
  EXPECT_THAT(ParseOne(kGtidEvent, 0, std::string(25, '\xff')), HasSubstr("malformed"));
}

TEST(EventParser, LogsBeforeMysql56AreRefused) {
  std::string body(
      "\4\0"
      "5.5.62-log",
      12);
  body.resize(2 + 50 + 4, '\0');
  body += '\x13';
  body.append(27, '\x08');
  EXPECT_EQ(ParseOne(kFormatDescriptionEvent, 0, body),
            "the binary log was written by server version 5.5.62-log. MySQL from 5.6 and MariaDB "
            "from 10.0 can be read");
}

}  // namespace
}  // namespace penstock::binlog
