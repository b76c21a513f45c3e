#include <algorithm>
#include <bit>
#include <limits>

#include "mysql/binlog/event_body.h"

namespace penstock::binlog {
namespace {

constexpr uint64_t kNumberMax = std::numeric_limits<int64_t>::max() - 1;

// GTID_LOG_EVENT and ANONYMOUS_GTID_LOG_EVENT: flags, UUID, number, then from 5.7 the logical clock
// and from 8.0 the commit timestamps (7 bytes; bit 55 of the first: the original one follows, else
// both are the same).
// https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Gtid__event.html
MysqlGtidEvent ParseUntagged(ByteReader& reader, model::MysqlGtid& gtid) {
  constexpr uint8_t kLogicalClock = 2;
  constexpr uint64_t kOriginalFollows = uint64_t{1} << 55;
  reader.Skip(1);
  const std::string_view uuid = reader.Bytes(gtid.uuid.size());
  std::copy(uuid.begin(), uuid.end(), gtid.uuid.begin());
  gtid.number = reader.U64();
  MysqlGtidEvent body;
  if (reader.remaining() < 1 + 16 + 7 || reader.U8() != kLogicalClock) return body;
  reader.Skip(16);
  body.commit_micros = reader.Little(7);
  if ((body.commit_micros & kOriginalFollows) != 0) body.commit_micros = reader.Little(7);
  return body;
}

// "Variable-length integers" of MySQL's serialization library: the number of trailing ones of the
// first byte is the number of bytes that follow; the value's low bits stand above them.
// https://dev.mysql.com/doc/dev/mysql-server/latest/PageLibsMysqlSerialization.html
uint64_t ReadVariable(ByteReader& reader) {
  const uint8_t first = reader.U8();
  const auto following = static_cast<unsigned>(std::countr_one(first));
  if (following == 0) return first >> 1;
  const uint64_t rest = reader.Little(following);
  // With 7 or 8 bytes following no bit of the value is left in the first byte.
  if (following >= 7) return rest;
  return rest << (7 - following) | first >> (following + 1);
}

// Signed ones have the sign in the lowest bit; the numbers read here are never negative.
uint64_t ReadVariableSigned(ByteReader& reader) {
  const uint64_t value = ReadVariable(reader);
  if ((value & 1) != 0) reader.Fail();
  return value >> 1;
}

// As the server keeps tags. Another one could not be read back from a checkpoint.
bool IsTag(std::string_view tag) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (tag.size() > model::GtidTag::kLengthMax || (!tag.empty() && is_digit(tag.front())))
    return false;
  return std::all_of(tag.begin(), tag.end(), [&](char c) { return is_letter(c) || is_digit(c); });
}

}  // namespace

MysqlGtidEvent ParseGtid(ByteReader& reader) {
  model::MysqlGtid gtid;
  MysqlGtidEvent body = ParseUntagged(reader, gtid);
  if (gtid.number == 0 || gtid.number > kNumberMax) reader.Fail();
  body.gtid = gtid;
  return body;
}

MysqlGtidEvent ParseAnonymousGtid(ByteReader& reader) {
  model::MysqlGtid none;
  return ParseUntagged(reader, none);
}

// GTID_TAGGED_LOG_EVENT, a message of numbered fields in order; those after the commit timestamps
// are not needed.
MysqlGtidEvent ParseTaggedGtid(ByteReader& reader) {
  enum Field : uint8_t {
    kFlags,
    kUuid,
    kNumber,
    kTag,
    kLastCommitted,
    kSequenceNumber,
    kImmediateCommit,
    kOriginalCommit,
  };
  model::MysqlGtid gtid;
  MysqlGtidEvent body;
  ReadVariable(reader);  // version of the library
  ReadVariable(reader);  // length of the message
  ReadVariable(reader);  // the last field that must not be ignored
  bool done = false;
  while (!done && !reader.AtEnd()) {
    switch (ReadVariable(reader)) {
      case kFlags:
        reader.Skip(1);
        break;
      case kUuid:
        for (uint8_t& byte : gtid.uuid) byte = static_cast<uint8_t>(ReadVariable(reader));
        break;
      case kNumber:
        gtid.number = ReadVariableSigned(reader);
        break;
      case kTag: {
        const std::string_view tag = reader.Bytes(static_cast<size_t>(ReadVariable(reader)));
        if (!IsTag(tag)) {
          reader.Fail();
          return body;
        }
        gtid.tag = model::GtidTag(tag);
        break;
      }
      case kLastCommitted:
      case kSequenceNumber:
        ReadVariableSigned(reader);
        break;
      case kImmediateCommit:
        body.commit_micros = ReadVariable(reader);
        break;
      case kOriginalCommit:
        body.commit_micros = ReadVariable(reader);
        done = true;
        break;
      default:
        done = true;
    }
  }
  if (gtid.number == 0 || gtid.number > kNumberMax) reader.Fail();
  body.gtid = gtid;
  return body;
}

// https://mariadb.com/docs/server/reference/clientserver-protocol/replication-protocol/gtid_event
MariadbGtidEvent ParseMariadbGtid(ByteReader& reader, uint32_t server_id) {
  constexpr uint8_t kStandalone = 0x01;
  constexpr uint8_t kPreparedXa = 0x40;
  MariadbGtidEvent body;
  body.gtid.sequence = reader.U64();
  body.gtid.domain = reader.U32();
  body.gtid.server = server_id;
  const uint8_t flags = reader.U8();
  body.standalone = (flags & kStandalone) != 0;
  body.prepared_xa = (flags & kPreparedXa) != 0;
  return body;
}

}  // namespace penstock::binlog
