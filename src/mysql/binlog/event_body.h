#pragma once

#include <cstddef>
#include <cstdint>

#include "base/byte_reader.h"
#include "mysql/binlog/event.h"

namespace penstock::binlog {

// The bodies of single events: each reads what stands between header and checksum, and leaves the
// reader failed when that is malformed; what was returned then means nothing. `post_header_length`
// is what the format description says of the event's type.

Rotate ParseRotate(ByteReader& reader);
// Also EXECUTE_LOAD_QUERY_EVENT, whose post header is only longer.
Query ParseQuery(ByteReader& reader, size_t post_header_length);
// Fills `memory` for the views of what it returns.
TableMap ParseTableMap(ByteReader& reader, size_t post_header_length, TableMapMemory& memory);
// `type` is one of the rows events of either version.
Rows ParseRows(ByteReader& reader, uint8_t type, size_t post_header_length);
Heartbeat ParseHeartbeatV2(ByteReader& reader);
XaPrepare ParseXaPrepare(ByteReader& reader);
Incident ParseIncident(ByteReader& reader);

MysqlGtidEvent ParseGtid(ByteReader& reader);
MysqlGtidEvent ParseAnonymousGtid(ByteReader& reader);
MysqlGtidEvent ParseTaggedGtid(ByteReader& reader);
MariadbGtidEvent ParseMariadbGtid(ByteReader& reader, uint32_t server_id);

}  // namespace penstock::binlog
