#include "mysql/binlog/event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mysql/binlog/capture_for_test.h"
#include "mysql/binlog/event_type.h"

namespace penstock::binlog {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;

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
            return fmt::format("gtid {}:{}{}", body.gtid->tag, body.gtid->number,
                               body.commit_micros > 1'600'000'000'000'000 ? "" : ", no time");
          },
          [](const MariadbGtidEvent& body) {
            return fmt::format("gtid {}-{}-{}{}{}", body.gtid.domain, body.gtid.server != 0,
                               body.gtid.sequence, body.standalone ? " standalone" : "",
                               body.prepared_xa ? " prepared" : "");
          },
          [](const Query& body) {
            return fmt::format("query{}{} {}: {}", body.ansi_quotes ? " ansi" : "",
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
          [](const Compressed& body) { return "compressed " + EventTypeName(body.type); },
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
  }
  return lines;
}

TEST(EventParser, Dump) {
  for (auto n : {"mysql97-session", "mariadb1011-session", "mariadb118-session"}) {
    fmt::print("--- {}\n", n);
    for (auto& l : DescribeAll(LoadCapture(n))) fmt::print("\"{}\",\n", l);
  }
}

}  // namespace
}  // namespace penstock::binlog
