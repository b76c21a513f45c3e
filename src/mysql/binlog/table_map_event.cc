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
void ReadMetadata(std::string_view bytes, std::string_view types, std::vector<uint16_t>& metadata,
                  ByteReader& event) {
  ByteReader reader(bytes);
  metadata.assign(types.size(), 0);
  for (size_t i = 0; i < types.size(); ++i) {
    const size_t length = MetadataLength(static_cast<uint8_t>(types[i]));
    if (length == kMetadataUnknown) return;
    if (length > 0) metadata[i] = static_cast<uint16_t>(reader.Little(length));
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
void ReadSignedness(std::string_view bits, std::string_view types,
                    std::vector<uint8_t>& is_unsigned, ByteReader& event) {
  is_unsigned.assign(types.size(), 0);
  size_t numeric = 0;
  for (size_t i = 0; i < types.size(); ++i) {
    if (!IsNumeric(static_cast<uint8_t>(types[i]))) continue;
    if (numeric / 8 >= bits.size()) return event.Fail();
    is_unsigned[i] = static_cast<uint8_t>(bits[numeric / 8]) >> (7 - numeric % 8) & 1;
    ++numeric;
  }
}

void ReadNames(std::string_view bytes, size_t columns, std::vector<std::string_view>& names,
               ByteReader& event) {
  ByteReader reader(bytes);
  names.clear();
  while (!reader.AtEnd()) names.push_back(reader.LengthEncodedBytes());
  if (!reader.ok() || names.size() != columns) event.Fail();
}

// "Optional metadata fields": type, length, value.
void ReadOptionalMetadata(TableMap& map, TableMapMemory& memory, ByteReader& event) {
  constexpr uint8_t kSignedness = 1;
  constexpr uint8_t kColumnName = 4;
  ByteReader reader(map.optional);
  while (!reader.AtEnd()) {
    const uint8_t field = reader.U8();
    const std::string_view value = reader.LengthEncodedBytes();
    if (!reader.ok()) return event.Fail();
    if (field == kSignedness) {
      ReadSignedness(value, map.types, memory.is_unsigned, event);
      map.is_unsigned = memory.is_unsigned;
    }
    if (field == kColumnName) {
      ReadNames(value, map.types.size(), memory.names, event);
      map.names = memory.names;
    }
  }
}

}  // namespace

// https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Table__map__event.html
TableMap ParseTableMap(ByteReader& reader, size_t post_header_length, TableMapMemory& memory) {
  TableMap map;
  map.table_id = post_header_length == 6 ? reader.U32() : reader.U48();
  reader.Skip(2);  // flags
  map.schema = reader.Bytes(reader.U8());
  reader.Skip(1);  // NUL
  map.table = reader.Bytes(reader.U8());
  reader.Skip(1);  // NUL
  map.types = reader.LengthEncodedBytes();
  ReadMetadata(reader.LengthEncodedBytes(), map.types, memory.metadata, reader);
  map.metadata = memory.metadata;
  map.nullable = reader.Bytes((map.types.size() + 7) / 8);
  map.optional = reader.Rest();
  ReadOptionalMetadata(map, memory, reader);
  return map;
}

}  // namespace penstock::binlog
