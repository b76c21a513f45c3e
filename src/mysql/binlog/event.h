#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"
#include "model/gtid.h"
#include "mysql/binlog/deflated_body.h"
#include "mysql/binlog/rows_fragments.h"
#include "mysql/binlog/transaction_payload.h"

namespace penstock::binlog {

// Common header, 19 bytes.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication_binlog_event.html
struct EventHeader {
  uint32_t timestamp = 0;  // seconds since the epoch, of the statement; 0 for artificial events
  uint8_t type = 0;
  uint32_t server_id = 0;
  uint32_t size = 0;        // with header and checksum
  uint32_t end_offset = 0;  // of this event in its file, modulo 2^32; 0 inside some groups
  uint16_t flags = 0;

  bool artificial() const { return (flags & 0x20) != 0; }
};

// Views below live as long as the packet that was parsed, and until its parser parses the next.
struct FormatDescription {
  std::string_view server_version;
  bool checksum = false;  // CRC32 follows each event
};
struct Rotate {
  std::string_view next_file;
  uint64_t next_offset = 4;
};
// MySQL GTID_LOG_EVENT and GTID_TAGGED_LOG_EVENT, and their anonymous form (gtid empty).
struct MysqlGtidEvent {
  std::optional<model::MysqlGtid> gtid;
  uint64_t commit_micros = 0;  // original commit timestamp; 0: the server does not say
};
// MariaDB GTID_EVENT: begins a transaction (or, with `standalone`, is a statement of its own).
struct MariadbGtidEvent {
  model::MariadbGtid gtid;
  bool standalone = false;
  bool prepared_xa = false;  // the group ends in XA PREPARE
};
struct Query {
  std::string_view schema;  // current database
  std::string_view sql;
  // Of the statement's sql_mode:
  bool ansi_quotes = false;
  bool no_backslash_escapes = false;
  bool client_is_utf8 = false;  // the text is known to be
};
struct Xid {};  // COMMIT of a transactional engine
struct TableMap {
  uint64_t table_id = 0;
  std::string_view schema;
  std::string_view table;
  std::string_view types;              // one byte a column
  std::span<const uint16_t> metadata;  // one a column, its first byte lowest; 0: the type has none
  std::string_view nullable;           // bitmap
  // Optional metadata, one a column where the server writes it; empty otherwise:
  std::span<const uint8_t> is_unsigned;     // 1 or 0; 0 for non-numeric ones
  std::span<const std::string_view> names;  // FULL only
  std::string_view optional = {};           // that metadata, whole: for ReadColumnDetails
};
// What the views of a TableMap point to, beside its packet.
struct TableMapMemory {
  std::vector<uint16_t> metadata;
  std::vector<uint8_t> is_unsigned;
  std::vector<std::string_view> names;
};
enum class RowsKind : uint8_t { kInsert, kUpdate, kDelete };
struct Rows {
  RowsKind kind = RowsKind::kInsert;
  uint64_t table_id = 0;
  bool statement_end = false;
  size_t column_count = 0;
  std::string_view present;        // bitmap of the (before) image, column_count bits
  std::string_view present_after;  // kUpdate: of the after image
  bool partial_json = false;  // PARTIAL_UPDATE_ROWS_EVENT: after images may hold JSON differences
  std::string_view data;      // row images one after the other
};
struct Heartbeat {
  std::string_view file;
  uint64_t offset = 0;
};
// What MySQL logged before the file that begins here; MysqlGtidSet::Decode reads it.
struct PreviousGtids {
  std::string_view encoded;
};
// XA_PREPARE_LOG_EVENT; with `one_phase` it is XA COMMIT ... ONE PHASE and so an ordinary commit.
struct XaPrepare {
  bool one_phase = false;
};
struct Incident {
  std::string_view message;
};
// Rows query, annotate rows, stop, user variables, binlog checkpoints, gtid lists, start
// encryption's kin, the data of a LOAD DATA statement (which itself comes as a Query), all
// fragments of a rows event but the last, and unknown events whose flag says that they may be
// ignored.
struct Ignored {};
// An event that must not be ignored and that penstock does not know.
struct Unknown {
  uint8_t type;
};

using Body = std::variant<FormatDescription, Rotate, MysqlGtidEvent, MariadbGtidEvent, Query, Xid,
                          TableMap, Rows, Heartbeat, PreviousGtids, XaPrepare, TransactionPayload,
                          Incident, Ignored, Unknown>;

struct Event {
  EventHeader header;
  Body body;
};

// "TRANSACTION_PAYLOAD_EVENT"; "event type 250" for one that has no name here.
std::string EventTypeName(uint8_t type);

// Parses the events of one log session, in order: it remembers what the format description says
// (checksums, post-header lengths). Bytes in, values out; holds no socket. What MariaDB compressed
// or cut into fragments comes as the event that it was. Once its memory has grown to the widest
// table map, no event allocates, unless it is a large one that is compressed. One thread at a time.
class EventParser {
 public:
  // `packet` is a whole event from its header. A wrong checksum or a malformed event is kBadData; a
  // log of MySQL before 5.6 is kNeedsUser.
  Result<Event> Parse(std::string_view packet);

  // After a TransactionPayload, whose packet must still live: its events, one a call, then nothing.
  // They end where the payload ends in the log, since only there may one begin to read it.
  Result<std::optional<Event>> NextInPayload();

  // Whether events are followed by a CRC32 before the first format description says so
  // (what @source_binlog_checksum negotiated).
  void set_checksum(bool checksum) { checksum_ = checksum; }
  // Verifying costs about 0.3 ns a byte; on by default.
  void set_verify_checksum(bool verify) { verify_ = verify; }

 private:
  Result<Body> ParseFormatDescription(std::string_view packet);
  Result<Body> ParseBody(const EventHeader& header, std::string_view bytes);
  Result<Event> ParseFragment(const EventHeader& header, std::string_view bytes);
  Query ParseCompressedQuery(ByteReader& reader, size_t post_header_length);
  Rows ParseCompressedRows(ByteReader& reader, uint8_t type, size_t post_header_length);
  size_t PostHeaderLength(uint8_t type, size_t otherwise) const;

  bool checksum_ = false;
  bool verify_ = true;
  std::vector<uint8_t> post_header_lengths_;  // index: type - 1
  TableMapMemory table_map_;
  BodyInflater inflater_;
  RowsFragments fragments_;
  TransactionPayloadReader payload_;
  uint32_t payload_end_ = 0;
};

}  // namespace penstock::binlog
