#pragma once

#include <cstddef>
#include <string_view>

#include "base/byte_reader.h"
#include "mysql/binlog/event.h"

namespace penstock::binlog {

// The bodies of single events. Each reads the bytes between header and checksum and leaves the
// reader failed when they are malformed; what it returns is then meaningless. Lengths of post
// headers are what the format description says.

Body ParseRotate(ByteReader reader, bool& ok);
Body ParseMysqlGtid(ByteReader& reader, bool anonymous);
// "MySQL serialization library" format: a message of numbered fields.
Body ParseTaggedGtid(ByteReader& reader);
Body ParseMariadbGtid(ByteReader& reader, uint32_t server_id);
Body ParseQuery(ByteReader& reader, size_t post_header_length);
Body ParseTableMap(ByteReader& reader, size_t post_header_length);
Body ParseRows(ByteReader& reader, const struct RowsLayout& layout);
Body ParseHeartbeatV2(ByteReader& reader);
Body ParseXaPrepare(ByteReader& reader);
Body ParseIncident(ByteReader& reader);

}  // namespace penstock::binlog
