#pragma once

#include <cstdint>

#include "base/byte_reader.h"
#include "model/value.h"

namespace penstock::binlog {

// Dates and times as rows store them. `digits` are those of the fraction, 0 to 6; a part out of
// its range fails the reader.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication_binlog_event.html
// https://dev.mysql.com/doc/internals/en/date-and-time-data-type-representation.html

model::Value ReadDate(ByteReader& reader);
model::Value ReadYear(ByteReader& reader);
model::Value ReadDateTime2(ByteReader& reader, uint32_t digits);
model::Value ReadTimestamp2(ByteReader& reader, uint32_t digits);
model::Value ReadTime2(ByteReader& reader, uint32_t digits);

// Columns made before MySQL 5.6, which have no fraction, or with MariaDB's
// mysql56_temporal_format=OFF, whose forms with a fraction are its own.
model::Value ReadOldDateTime(ByteReader& reader, uint32_t digits);
model::Value ReadOldTimestamp(ByteReader& reader, uint32_t digits);
model::Value ReadOldTime(ByteReader& reader, uint32_t digits);
// How long they are; `digits` at most 6.
uint32_t OldDateTimeBytes(uint32_t digits);
uint32_t OldTimestampBytes(uint32_t digits);
uint32_t OldTimeBytes(uint32_t digits);

// The 64-bit packed form that JSON documents hold: a date and time without its sign, and a time.
model::CivilTime UnpackDateTime(uint64_t packed);

}  // namespace penstock::binlog
