#include "mysql/binlog/event_body.h"

#include "mysql/binlog/collation.h"
#include "mysql/binlog/event_type.h"

namespace penstock::binlog {
namespace {

// Table map and rows events: the table id has 4 bytes where the post header has only 6.
uint64_t ReadTableId(ByteReader& reader, size_t post_header_length) {
  return post_header_length == 6 ? reader.U32() : reader.U48();
}

// A byte that is a length, and as many bytes.
std::string_view ShortBytes(ByteReader& reader) { return reader.Bytes(reader.U8()); }

// "Status variables" of QUERY_EVENT: a code, then its value. Those that are needed come before any
// that is not known here.
void ReadStatus(std::string_view status, Query& query) {
  constexpr uint8_t kFlags2 = 0;
  constexpr uint8_t kSqlMode = 1;
  constexpr uint8_t kAutoIncrement = 3;
  constexpr uint8_t kCharset = 4;
  constexpr uint8_t kTimeZone = 5;
  constexpr uint8_t kCatalog = 6;
  constexpr uint8_t kCharsetCollations = 131;  // MariaDB: a count of pairs of numbers
  constexpr uint64_t kAnsiQuotes = 1U << 2;
  constexpr uint64_t kNoBackslashEscapes = 1U << 20;
  ByteReader reader(status);
  while (!reader.AtEnd()) {
    switch (reader.U8()) {
      case kFlags2:
      case kAutoIncrement:
        reader.Skip(4);
        break;
      case kSqlMode: {
        const uint64_t sql_mode = reader.U64();
        query.ansi_quotes = (sql_mode & kAnsiQuotes) != 0;
        query.no_backslash_escapes = (sql_mode & kNoBackslashEscapes) != 0;
        break;
      }
      case kTimeZone:
      case kCatalog:
        ShortBytes(reader);
        break;
      case kCharsetCollations:
        reader.Skip(size_t{4} * reader.U8());
        break;
      case kCharset:
        query.client_is_utf8 = CharsetOfCollation(reader.U16()).starts_with("utf8mb");
        return;
      default:
        return;
    }
  }
}

}  // namespace

Rotate ParseRotate(ByteReader& reader) {
  Rotate body;
  body.next_offset = reader.U64();
  body.next_file = reader.Rest();
  return body;
}

Query ParseQuery(ByteReader& reader, size_t post_header_length) {
  constexpr size_t kPostHeaderKnown = 13;
  reader.Skip(8);  // thread, seconds of execution
  const uint8_t schema_length = reader.U8();
  reader.Skip(2);  // error code
  const uint16_t status_length = reader.U16();
  if (post_header_length < kPostHeaderKnown) {
    reader.Fail();
  } else {
    reader.Skip(post_header_length - kPostHeaderKnown);
  }
  Query body;
  ReadStatus(reader.Bytes(status_length), body);
  body.schema = reader.Bytes(schema_length);
  reader.Skip(1);  // NUL
  body.sql = reader.Rest();
  return body;
}

Rows ParseRows(ByteReader& reader, uint8_t type, size_t post_header_length) {
  constexpr uint16_t kStatementEnd = 1;
  constexpr size_t kExtraLengthSize = 2;
  Rows body;
  const bool version2 = type >= kWriteRowsEvent;
  const bool update =
      type == kUpdateRowsEvent || type == kUpdateRowsEventV1 || type == kPartialUpdateRowsEvent;
  const bool insert = type == kWriteRowsEvent || type == kWriteRowsEventV1;
  body.kind = update ? RowsKind::kUpdate : insert ? RowsKind::kInsert : RowsKind::kDelete;
  body.partial_json = type == kPartialUpdateRowsEvent;
  body.table_id = ReadTableId(reader, post_header_length);
  body.statement_end = (reader.U16() & kStatementEnd) != 0;
  if (version2) {
    const size_t extra_length = reader.U16();  // counts itself
    if (extra_length < kExtraLengthSize) {
      reader.Fail();
    } else {
      reader.Skip(extra_length - kExtraLengthSize);
    }
  }
  const uint64_t columns = reader.LengthEncoded();
  if (columns > reader.remaining() * 8) {
    reader.Fail();
    return body;
  }
  body.column_count = static_cast<size_t>(columns);
  const size_t bitmap_length = (body.column_count + 7) / 8;
  body.present = reader.Bytes(bitmap_length);
  if (update) body.present_after = reader.Bytes(bitmap_length);
  body.data = reader.Rest();
  return body;
}

// HEARTBEAT_LOG_EVENT_V2: fields of type, length and value up to an end mark.
Heartbeat ParseHeartbeatV2(ByteReader& reader) {
  constexpr uint8_t kEndMark = 0;
  constexpr uint8_t kFileName = 1;
  constexpr uint8_t kOffset = 2;
  Heartbeat body;
  while (!reader.AtEnd()) {
    const uint8_t type = reader.U8();
    if (type == kEndMark) break;
    const std::string_view value = reader.LengthEncodedBytes();
    if (type == kFileName) body.file = value;
    if (type == kOffset) {
      ByteReader number(value);
      body.offset = number.LengthEncoded();
      if (!number.ok()) reader.Fail();
    }
  }
  return body;
}

XaPrepare ParseXaPrepare(ByteReader& reader) { return {.one_phase = reader.U8() != 0}; }

Incident ParseIncident(ByteReader& reader) {
  reader.Skip(2);  // the incident's number: only LOST_EVENTS exists
  return {.message = ShortBytes(reader)};
}

}  // namespace penstock::binlog
