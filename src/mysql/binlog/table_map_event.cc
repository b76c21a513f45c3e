#include "mysql/binlog/event_body.h"
#include "mysql/binlog/event_type.h"

namespace penstock::binlog {
namespace {

constexpr size_t kMetadataUnknown = SIZE_MAX;

// How many bytes of metadata a column of this type has.
size_t MetadataLength(uint8_t type) {
  switch (type) {
    case kOldDecimalColumn:
    case kTinyColumn:
    case kShortColumn:
    case kLongColumn:
    case kNullColumn:
    case kOldTimestampColumn:
    case kLongLongColumn:
    case kInt24Column:
    case kDateColumn:
    case kOldTimeColumn:
    case kOldDateTimeColumn:
    case kYearColumn:
    case kNewDateColumn:
      return 0;
    case kFloatColumn:
    case kDoubleColumn:
    case kTimestamp2Column:
    case kDateTime2Column:
    case kTime2Column:
    case kBlobCompressedColumn:
    case kVectorColumn:
    case kJsonColumn:
    case kTinyBlobColumn:
    case kMediumBlobColumn:
    case kLongBlobColumn:
    case kBlobColumn:
    case kGeometryColumn:
      return 1;
    case kVarCharColumn:
    case kBitColumn:
    case kVarCharCompressedColumn:
    case kNewDecimalColumn:
    case kEnumColumn:
    case kSetColumn:
    case kVarStringColumn:
    case kStringColumn:
      return 2;
    default:
      return kMetadataUnknown;
  }
}

// A type that is not known ends the reading: nobody can say where the next column's metadata
// begins. The event stays good, since the table may be none that is replicated; whoever wants its
// rows finds the type, or metadata that fit no definition.
void ReadMetadata(std::string_view bytes, TableMap& map, ByteReader& event) {
  ByteReader reader(bytes);
  map.metadata.resize(map.types.size());
  for (size_t i = 0; i < map.types.size(); ++i) {
    const size_t length = MetadataLength(static_cast<uint8_t>(map.types[i]));
    if (length == kMetadataUnknown) return;
    if (length > 0) map.metadata[i] = static_cast<uint16_t>(reader.Little(length));
  }
  if (!reader.ok() || !reader.AtEnd()) event.Fail();
}

// The columns that have a bit of signedness. Both servers give one to YEAR too, always unsigned.
bool IsNumeric(uint8_t type) {
  switch (type) {
    case kTinyColumn:
    case kShortColumn:
    case kInt24Column:
    case kLongColumn:
    case kLongLongColumn:
    case kFloatColumn:
    case kDoubleColumn:
    case kNewDecimalColumn:
    case kYearColumn:
      return true;
    default:
      return false;
  }
}

// A bit per numeric column, highest bit first.
void ReadSignedness(std::string_view bits, TableMap& map, ByteReader& event) {
  std::vector<bool> is_unsigned(map.types.size());
  size_t numeric = 0;
  for (size_t i = 0; i < map.types.size(); ++i) {
    if (!IsNumeric(static_cast<uint8_t>(map.types[i]))) continue;
    if (numeric / 8 >= bits.size()) return event.Fail();
    is_unsigned[i] = (static_cast<uint8_t>(bits[numeric / 8]) << (numeric % 8) & 0x80) != 0;
    ++numeric;
  }
  map.is_unsigned = std::move(is_unsigned);
}

void ReadNames(std::string_view bytes, TableMap& map, ByteReader& event) {
  ByteReader reader(bytes);
  map.names.reserve(map.types.size());
  while (!reader.AtEnd()) map.names.push_back(reader.LengthEncodedBytes());
  if (!reader.ok() || map.names.size() != map.types.size()) event.Fail();
}

// "Optional metadata fields": type, length, value.
void ReadOptionalMetadata(ByteReader& reader, TableMap& map) {
  constexpr uint8_t kSignedness = 1;
  constexpr uint8_t kColumnName = 4;
  while (!reader.AtEnd()) {
    const uint8_t field = reader.U8();
    const std::string_view value = reader.LengthEncodedBytes();
    if (!reader.ok()) return;
    if (field == kSignedness) ReadSignedness(value, map, reader);
    if (field == kColumnName && map.names.empty()) ReadNames(value, map, reader);
  }
}

}  // namespace

// https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Table__map__event.html
TableMap ParseTableMap(ByteReader& reader, size_t post_header_length) {
  TableMap map;
  map.table_id = post_header_length == 6 ? reader.U32() : reader.U48();
  reader.Skip(2);  // flags
  map.schema = reader.Bytes(reader.U8());
  reader.Skip(1);  // NUL
  map.table = reader.Bytes(reader.U8());
  reader.Skip(1);  // NUL
  map.types = reader.LengthEncodedBytes();
  ReadMetadata(reader.LengthEncodedBytes(), map, reader);
  map.nullable = reader.Bytes((map.types.size() + 7) / 8);
  ReadOptionalMetadata(reader, map);
  return map;
}

}  // namespace penstock::binlog
