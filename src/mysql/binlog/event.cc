#include "mysql/binlog/event.h"

#include <zlib.h>

#include <array>

#include "base/byte_reader.h"
#include "mysql/binlog/event_body.h"
#include "mysql/binlog/event_type.h"

namespace penstock::binlog {
namespace {

constexpr size_t kHeaderLength = 19;
constexpr size_t kChecksumLength = 4;
constexpr size_t kFlagsOffset = 17;
constexpr uint8_t kChecksumOff = 0;
constexpr uint8_t kChecksumCrc32 = 1;

std::string_view KnownTypeName(uint8_t type) {
  static constexpr std::array<std::string_view, 43> kNames = {"UNKNOWN_EVENT",
                                                              "START_EVENT_V3",
                                                              "QUERY_EVENT",
                                                              "STOP_EVENT",
                                                              "ROTATE_EVENT",
                                                              "INTVAR_EVENT",
                                                              "LOAD_EVENT",
                                                              "SLAVE_EVENT",
                                                              "CREATE_FILE_EVENT",
                                                              "APPEND_BLOCK_EVENT",
                                                              "EXEC_LOAD_EVENT",
                                                              "DELETE_FILE_EVENT",
                                                              "NEW_LOAD_EVENT",
                                                              "RAND_EVENT",
                                                              "USER_VAR_EVENT",
                                                              "FORMAT_DESCRIPTION_EVENT",
                                                              "XID_EVENT",
                                                              "BEGIN_LOAD_QUERY_EVENT",
                                                              "EXECUTE_LOAD_QUERY_EVENT",
                                                              "TABLE_MAP_EVENT",
                                                              "PRE_GA_WRITE_ROWS_EVENT",
                                                              "PRE_GA_UPDATE_ROWS_EVENT",
                                                              "PRE_GA_DELETE_ROWS_EVENT",
                                                              "WRITE_ROWS_EVENT_V1",
                                                              "UPDATE_ROWS_EVENT_V1",
                                                              "DELETE_ROWS_EVENT_V1",
                                                              "INCIDENT_EVENT",
                                                              "HEARTBEAT_LOG_EVENT",
                                                              "IGNORABLE_LOG_EVENT",
                                                              "ROWS_QUERY_LOG_EVENT",
                                                              "WRITE_ROWS_EVENT",
                                                              "UPDATE_ROWS_EVENT",
                                                              "DELETE_ROWS_EVENT",
                                                              "GTID_LOG_EVENT",
                                                              "ANONYMOUS_GTID_LOG_EVENT",
                                                              "PREVIOUS_GTIDS_LOG_EVENT",
                                                              "TRANSACTION_CONTEXT_EVENT",
                                                              "VIEW_CHANGE_EVENT",
                                                              "XA_PREPARE_LOG_EVENT",
                                                              "PARTIAL_UPDATE_ROWS_EVENT",
                                                              "TRANSACTION_PAYLOAD_EVENT",
                                                              "HEARTBEAT_LOG_EVENT_V2",
                                                              "GTID_TAGGED_LOG_EVENT"};
  static constexpr std::array<std::string_view, 13> kMariadbNames = {
      "ANNOTATE_ROWS_EVENT",
      "BINLOG_CHECKPOINT_EVENT",
      "GTID_EVENT",
      "GTID_LIST_EVENT",
      "START_ENCRYPTION_EVENT",
      "QUERY_COMPRESSED_EVENT",
      "WRITE_ROWS_COMPRESSED_EVENT_V1",
      "UPDATE_ROWS_COMPRESSED_EVENT_V1",
      "DELETE_ROWS_COMPRESSED_EVENT_V1",
      "WRITE_ROWS_COMPRESSED_EVENT",
      "UPDATE_ROWS_COMPRESSED_EVENT",
      "DELETE_ROWS_COMPRESSED_EVENT",
      "PARTIAL_ROW_DATA_EVENT"};
  if (type < kNames.size()) return kNames[type];
  const size_t mariadb = size_t{type} - kAnnotateRowsEvent;
  return type >= kAnnotateRowsEvent && mariadb < kMariadbNames.size() ? kMariadbNames[mariadb]
                                                                      : std::string_view();
}

EventHeader ReadHeader(ByteReader& reader) {
  EventHeader header;
  header.timestamp = reader.U32();
  header.type = reader.U8();
  header.server_id = reader.U32();
  header.size = reader.U32();
  header.end_offset = reader.U32();
  header.flags = reader.U16();
  return header;
}

// Whether `bytes` end in the CRC32 of what stands before. The flag that a log file is in use is
// cleared in a format description after its checksum was made, so it never counts.
bool ChecksumMatches(std::string_view bytes, bool is_format_description) {
  constexpr uint8_t kInUseFlag = 0x01;
  const auto* data = reinterpret_cast<const Bytef*>(bytes.data());
  const size_t length = bytes.size() - kChecksumLength;
  ByteReader trailer(bytes.substr(length));
  uLong crc = crc32_z(0, data, kFlagsOffset);
  Bytef flags = data[kFlagsOffset];
  if (is_format_description) flags &= static_cast<Bytef>(~kInUseFlag);
  crc = crc32_z(crc, &flags, 1);
  crc = crc32_z(crc, data + kFlagsOffset + 1, length - kFlagsOffset - 1);
  return crc == trailer.U32();
}

Failure WrongChecksum(const EventHeader& header) {
  return Fail(ErrorCode::kBadData, "checksum of a {} ending at {} is wrong",
              EventTypeName(header.type), header.end_offset);
}

bool IsRowsEvent(uint8_t type) {
  return (type >= kWriteRowsEventV1 && type <= kDeleteRowsEventV1) ||
         (type >= kWriteRowsEvent && type <= kDeleteRowsEvent) ||
         (type >= kWriteRowsCompressedEventV1 && type <= kDeleteRowsCompressedEvent);
}

// What is only named, ignored or not known.
Body BodyNotParsed(const EventHeader& header) {
  switch (header.type) {
    case kStopEvent:
    case kIntvarEvent:
    case kRandEvent:
    case kUserVarEvent:
    case kAppendBlockEvent:
    case kDeleteFileEvent:
    case kBeginLoadQueryEvent:
    case kIgnorableEvent:
    case kRowsQueryEvent:
    case kTransactionContextEvent:
    case kViewChangeEvent:
    case kAnnotateRowsEvent:
    case kBinlogCheckpointEvent:
    case kGtidListEvent:
    case kStartEncryptionEvent:
      return Ignored{};
    default:
      if ((header.flags & kIgnorableFlag) != 0) return Ignored{};
      return Unknown{header.type};
  }
}

}  // namespace

std::string EventTypeName(uint8_t type) {
  const std::string_view name = KnownTypeName(type);
  return name.empty() ? fmt::format("event type {}", type) : std::string(name);
}

Result<Event> EventParser::Parse(std::string_view packet) {
  payload_.Reset();
  inflater_.Release();
  fragments_.Release();
  ByteReader reader(packet);
  Event event;
  event.header = ReadHeader(reader);
  if (!reader.ok() || event.header.size != packet.size()) {
    return Fail(ErrorCode::kBadData, "binary log event of {} bytes says that it has {}",
                packet.size(), event.header.size);
  }
  if (event.header.type == kFormatDescriptionEvent) {
    PENSTOCK_ASSIGN(event.body, ParseFormatDescription(packet));
    return event;
  }
  std::string_view bytes = packet.substr(kHeaderLength);
  if (checksum_) {
    if (bytes.size() < kChecksumLength) return WrongChecksum(event.header);
    if (verify_ && !ChecksumMatches(packet, false)) return WrongChecksum(event.header);
    bytes.remove_suffix(kChecksumLength);
  }
  if (event.header.type == kPartialRowDataEvent) return ParseFragment(event.header, bytes);
  PENSTOCK_ASSIGN(event.body, ParseBody(event.header, bytes));
  if (const auto* payload = std::get_if<TransactionPayload>(&event.body)) {
    payload_.Begin(*payload);
    payload_end_ = event.header.end_offset;
  }
  return event;
}

Result<std::optional<Event>> EventParser::NextInPayload() {
  PENSTOCK_ASSIGN(const auto packet, payload_.Next());
  if (!packet) return std::nullopt;
  ByteReader reader(*packet);
  Event event;
  event.header = ReadHeader(reader);
  event.header.end_offset = payload_end_;
  if (event.header.type == kFormatDescriptionEvent ||
      event.header.type == kTransactionPayloadEvent) {
    return Fail(ErrorCode::kBadData, "a compressed transaction in the log holds a {}",
                EventTypeName(event.header.type));
  }
  PENSTOCK_ASSIGN(event.body, ParseBody(event.header, reader.Rest()));
  return event;
}

// The rows event has its own header. Whether a checksum of its own follows is not documented: its
// header and its bytes tell.
Result<Event> EventParser::ParseFragment(const EventHeader& header, std::string_view bytes) {
  PENSTOCK_ASSIGN(auto whole, fragments_.Add(bytes));
  if (!whole) return Event{.header = header, .body = Ignored{}};
  if (checksum_ && whole->size() >= kHeaderLength + kChecksumLength &&
      ChecksumMatches(*whole, false)) {
    whole->remove_suffix(kChecksumLength);
  }
  ByteReader reader(*whole);
  Event event;
  event.header = ReadHeader(reader);
  const size_t size = event.header.size;
  const bool is_rows = IsRowsEvent(event.header.type);
  if (!reader.ok() || !is_rows ||
      (size != whole->size() && size != whole->size() + kChecksumLength)) {
    return Fail(ErrorCode::kBadData, "the fragments of a rows event make none");
  }
  event.header.end_offset = header.end_offset;
  PENSTOCK_ASSIGN(event.body, ParseBody(event.header, reader.Rest()));
  return event;
}

// FORMAT_DESCRIPTION_EVENT: version of the format, server version, time of creation, length of the
// common header, post-header length of each type. Since MySQL 5.6 the checksum algorithm and a
// checksum follow always; without an algorithm that checksum may be stale.
Result<Body> EventParser::ParseFormatDescription(std::string_view packet) {
  constexpr uint16_t kFormatVersion = 4;
  constexpr size_t kVersionLength = 50;
  constexpr size_t kTypesOfMysql56 = 35;
  ByteReader reader(packet.substr(kHeaderLength));
  const uint16_t format_version = reader.U16();
  const std::string_view padded_version = reader.Bytes(kVersionLength);
  reader.Skip(4);
  const uint8_t header_length = reader.U8();
  if (!reader.ok() || format_version != kFormatVersion || header_length != kHeaderLength) {
    return Fail(ErrorCode::kBadData, "FORMAT_DESCRIPTION_EVENT is malformed");
  }
  FormatDescription body;
  body.server_version = padded_version.substr(0, padded_version.find('\0'));
  if (reader.remaining() < kTypesOfMysql56 + 1 + kChecksumLength) {
    return Fail(Error{.code = ErrorCode::kNeedsUser,
                      .message = fmt::format("the binary log was written by server version {}",
                                             body.server_version),
                      .origin = "source",
                      .remedy = "MySQL from 5.6 and MariaDB from 10.0 can be read"});
  }
  const std::string_view lengths = reader.Bytes(reader.remaining() - 1 - kChecksumLength);
  const uint8_t algorithm = reader.U8();
  if (algorithm != kChecksumOff && algorithm != kChecksumCrc32) {
    return Fail(ErrorCode::kBadData, "binary log has an unknown checksum algorithm: {}", algorithm);
  }
  body.checksum = algorithm == kChecksumCrc32;
  if (body.checksum && verify_ && !ChecksumMatches(packet, true)) {
    return Fail(ErrorCode::kBadData, "checksum of a FORMAT_DESCRIPTION_EVENT is wrong");
  }
  checksum_ = body.checksum;
  fragments_.Reset();
  post_header_lengths_.assign(lengths.begin(), lengths.end());
  return body;
}

Query EventParser::ParseCompressedQuery(ByteReader& reader, size_t post_header_length) {
  Query query = ParseQuery(reader, post_header_length);
  query.sql = inflater_.Inflate(query.sql, reader);
  return query;
}

Rows EventParser::ParseCompressedRows(ByteReader& reader, uint8_t type, size_t post_header_length) {
  constexpr int kToPlain = kWriteRowsEventV1 - kWriteRowsCompressedEventV1;
  constexpr int kToPlainV2 = kWriteRowsEvent - kWriteRowsCompressedEvent;
  const int to_plain = type < kWriteRowsCompressedEvent ? kToPlain : kToPlainV2;
  Rows rows = ParseRows(reader, static_cast<uint8_t>(type + to_plain), post_header_length);
  rows.data = inflater_.Inflate(rows.data, reader);
  return rows;
}

size_t EventParser::PostHeaderLength(uint8_t type, size_t otherwise) const {
  return type <= post_header_lengths_.size() ? post_header_lengths_[type - 1U] : otherwise;
}

Result<Body> EventParser::ParseBody(const EventHeader& header, std::string_view bytes) {
  ByteReader reader(bytes);
  const auto post_header = [&](size_t otherwise) {
    return PostHeaderLength(header.type, otherwise);
  };
  const auto parse = [&]() -> Body {
    switch (header.type) {
      case kRotateEvent:
        return ParseRotate(reader);
      case kQueryEvent:
        return ParseQuery(reader, post_header(13));
      case kExecuteLoadQueryEvent:
        return ParseQuery(reader, post_header(26));
      case kXidEvent:
        return Xid{};
      case kTableMapEvent:
        return ParseTableMap(reader, post_header(8), table_map_);
      case kWriteRowsEventV1:
      case kUpdateRowsEventV1:
      case kDeleteRowsEventV1:
        return ParseRows(reader, header.type, post_header(8));
      case kWriteRowsEvent:
      case kUpdateRowsEvent:
      case kDeleteRowsEvent:
      case kPartialUpdateRowsEvent:
        return ParseRows(reader, header.type, post_header(10));
      case kGtidEvent:
        return ParseGtid(reader);
      case kAnonymousGtidEvent:
        return ParseAnonymousGtid(reader);
      case kGtidTaggedEvent:
        return ParseTaggedGtid(reader);
      case kMariadbGtidEvent:
        return ParseMariadbGtid(reader, header.server_id);
      case kPreviousGtidsEvent:
        return PreviousGtids{.encoded = reader.Rest()};
      case kHeartbeatEvent:
        return Heartbeat{reader.Rest(), header.end_offset};
      case kHeartbeatEventV2:
        return ParseHeartbeatV2(reader);
      case kXaPrepareEvent:
        return ParseXaPrepare(reader);
      case kTransactionPayloadEvent:
        return ParseTransactionPayload(reader);
      case kQueryCompressedEvent:
        return ParseCompressedQuery(reader, post_header(13));
      case kWriteRowsCompressedEventV1:
      case kUpdateRowsCompressedEventV1:
      case kDeleteRowsCompressedEventV1:
        return ParseCompressedRows(reader, header.type, post_header(8));
      case kWriteRowsCompressedEvent:
      case kUpdateRowsCompressedEvent:
      case kDeleteRowsCompressedEvent:
        return ParseCompressedRows(reader, header.type, post_header(10));
      case kIncidentEvent:
        return ParseIncident(reader);
      default:
        return BodyNotParsed(header);
    }
  };
  Body body = parse();
  if (!reader.ok()) {
    return Fail(ErrorCode::kBadData, "{} ending at {} is malformed", EventTypeName(header.type),
                header.end_offset);
  }
  return body;
}

}  // namespace penstock::binlog
