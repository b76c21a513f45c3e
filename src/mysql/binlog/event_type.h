#pragma once

#include <cstdint>

namespace penstock::binlog {

// The type byte of an event's header.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication_binlog_event.html
// https://mariadb.com/docs/server/reference/clientserver-protocol/replication-protocol/2-binlog-event-header
enum EventType : uint8_t {
  kStartV3Event = 1,
  kQueryEvent = 2,
  kStopEvent = 3,
  kRotateEvent = 4,
  kIntvarEvent = 5,
  kAppendBlockEvent = 9,
  kDeleteFileEvent = 11,
  kRandEvent = 13,
  kUserVarEvent = 14,
  kFormatDescriptionEvent = 15,
  kXidEvent = 16,
  kBeginLoadQueryEvent = 17,
  kExecuteLoadQueryEvent = 18,
  kTableMapEvent = 19,
  kWriteRowsEventV1 = 23,
  kUpdateRowsEventV1 = 24,
  kDeleteRowsEventV1 = 25,
  kIncidentEvent = 26,
  kHeartbeatEvent = 27,
  kIgnorableEvent = 28,
  kRowsQueryEvent = 29,
  kWriteRowsEvent = 30,
  kUpdateRowsEvent = 31,
  kDeleteRowsEvent = 32,
  kGtidEvent = 33,
  kAnonymousGtidEvent = 34,
  kPreviousGtidsEvent = 35,
  kTransactionContextEvent = 36,
  kViewChangeEvent = 37,
  kXaPrepareEvent = 38,
  kPartialUpdateRowsEvent = 39,
  kTransactionPayloadEvent = 40,
  kHeartbeatEventV2 = 41,
  kGtidTaggedEvent = 42,
  // MariaDB
  kAnnotateRowsEvent = 160,
  kBinlogCheckpointEvent = 161,
  kMariadbGtidEvent = 162,
  kGtidListEvent = 163,
  kStartEncryptionEvent = 164,
  kQueryCompressedEvent = 165,
  kWriteRowsCompressedEventV1 = 166,
  kUpdateRowsCompressedEventV1 = 167,
  kDeleteRowsCompressedEventV1 = 168,
  kWriteRowsCompressedEvent = 169,
  kUpdateRowsCompressedEvent = 170,
  kDeleteRowsCompressedEvent = 171,
  kPartialRowDataEvent = 172,
};

// Of the header's flags: a reader that does not know the event may skip it.
constexpr uint16_t kIgnorableFlag = 0x80;

// The type byte of a column in a table map.
// https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html
enum ColumnType : uint8_t {
  kOldDecimalColumn = 0,
  kTinyColumn = 1,
  kShortColumn = 2,
  kLongColumn = 3,
  kFloatColumn = 4,
  kDoubleColumn = 5,
  kNullColumn = 6,
  kOldTimestampColumn = 7,
  kLongLongColumn = 8,
  kInt24Column = 9,
  kDateColumn = 10,
  kOldTimeColumn = 11,
  kOldDateTimeColumn = 12,
  kYearColumn = 13,
  kNewDateColumn = 14,
  kVarCharColumn = 15,
  kBitColumn = 16,
  kTimestamp2Column = 17,
  kDateTime2Column = 18,
  kTime2Column = 19,
  kBlobCompressedColumn = 140,     // MariaDB
  kVarCharCompressedColumn = 141,  // MariaDB
  kVectorColumn = 242,
  kJsonColumn = 245,
  kNewDecimalColumn = 246,
  kEnumColumn = 247,
  kSetColumn = 248,
  kTinyBlobColumn = 249,
  kMediumBlobColumn = 250,
  kLongBlobColumn = 251,
  kBlobColumn = 252,
  kVarStringColumn = 253,
  kStringColumn = 254,
  kGeometryColumn = 255,
};

}  // namespace penstock::binlog
