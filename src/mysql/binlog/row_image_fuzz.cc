#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"
#include "mysql/binlog/event_type.h"
#include "mysql/binlog/row_image.h"

namespace {

using penstock::model::SqlType;

constexpr std::array<uint8_t, 28> kTypes = {
    penstock::binlog::kTinyColumn,
    penstock::binlog::kShortColumn,
    penstock::binlog::kInt24Column,
    penstock::binlog::kLongColumn,
    penstock::binlog::kLongLongColumn,
    penstock::binlog::kNewDecimalColumn,
    penstock::binlog::kFloatColumn,
    penstock::binlog::kDoubleColumn,
    penstock::binlog::kBitColumn,
    penstock::binlog::kStringColumn,
    penstock::binlog::kVarCharColumn,
    penstock::binlog::kBlobColumn,
    penstock::binlog::kDateColumn,
    penstock::binlog::kNewDateColumn,
    penstock::binlog::kDateTime2Column,
    penstock::binlog::kTimestamp2Column,
    penstock::binlog::kTime2Column,
    penstock::binlog::kOldDateTimeColumn,
    penstock::binlog::kOldTimestampColumn,
    penstock::binlog::kOldTimeColumn,
    penstock::binlog::kYearColumn,
    penstock::binlog::kJsonColumn,
    penstock::binlog::kEnumColumn,
    penstock::binlog::kSetColumn,
    penstock::binlog::kGeometryColumn,
    penstock::binlog::kVectorColumn,
    penstock::binlog::kBlobCompressedColumn,
    penstock::binlog::kVarCharCompressedColumn,
};

// A definition and a map of up to eight columns, mostly of shapes that fit each other.
void AddColumn(penstock::ByteReader& reader, penstock::model::Table& table, std::string& types,
               std::vector<uint16_t>& metadata) {
  penstock::model::Column& column = table.columns.emplace_back();
  column.type = static_cast<SqlType>(reader.U8() % (static_cast<int>(SqlType::kUnsupported) + 1));
  column.is_unsigned = (reader.U8() & 1) != 0;
  types += static_cast<char>(kTypes[reader.U8() % kTypes.size()]);
  metadata.push_back(reader.U16());
  const uint16_t shape = metadata.back();
  column.precision =
      column.type == SqlType::kBit ? (shape & 0xffU) + shape / 256U * 8 : shape & 0xffU;
  column.scale = column.type == SqlType::kDecimal ? shape / 256U : shape;
  column.length = column.type == SqlType::kBinary ? shape / 256U : shape;
  column.labels.resize(reader.U8());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  penstock::ByteReader reader(std::string_view(reinterpret_cast<const char*>(data), size));
  penstock::model::Table table;
  std::string types;
  std::vector<uint16_t> metadata;
  const size_t columns = reader.U8() % 8 + size_t{1};
  for (size_t i = 0; i < columns; ++i) AddColumn(reader, table, types, metadata);
  const std::string present(1, static_cast<char>(reader.U8()));
  penstock::binlog::TableMap map;
  map.types = types;
  map.metadata = metadata;
  auto decoder = penstock::binlog::RowImageDecoder::Make(table, map);
  if (!decoder) return 0;
  std::vector<penstock::model::Value> row(columns);
  while (reader.ok() && !reader.AtEnd()) {
    const size_t before = reader.remaining();
    decoder->BeginRow();
    if (!decoder->Decode(reader, present, row)) break;
    if (reader.remaining() == before && present[0] != 0) break;
    if (present[0] == 0) break;
    uint64_t touched = 0;
    for (const auto& value : row) {
      for (const char c : value.bytes) touched += static_cast<uint8_t>(c);
    }
    if (touched == UINT64_MAX) __builtin_trap();
  }
  return 0;
}
