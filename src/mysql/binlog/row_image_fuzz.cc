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

constexpr size_t kColumnsMax = 40;

// A column of a definition and of its map, mostly of shapes that fit each other.
void AddColumn(penstock::ByteReader& reader, penstock::model::Table& table, std::string& types,
               std::vector<uint16_t>& metadata) {
  penstock::model::Column& column = table.columns.emplace_back();
  column.type = static_cast<SqlType>(reader.U8() % (static_cast<int>(SqlType::kUnsupported) + 1));
  const uint8_t flags = reader.U8();
  column.is_unsigned = (flags & 1) != 0;
  column.compressed = (flags & 2) != 0;
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
  const size_t columns = reader.U8() % kColumnsMax + 1;
  for (size_t i = 0; i < columns; ++i) AddColumn(reader, table, types, metadata);
  const std::string present(reader.Bytes((columns + 7) / 8));
  if (!reader.ok()) return 0;
  penstock::binlog::TableMap map;
  map.types = types;
  map.metadata = metadata;
  auto decoder = penstock::binlog::RowImageDecoder::Make(table, map);
  if (!decoder) return 0;
  // Every row an insert or an update, whose second image holds JSON differences or not.
  const uint8_t kind = reader.U8() % 3;
  penstock::binlog::Rows rows;
  rows.present_after = present;
  rows.partial_json = kind == 2;
  std::vector<penstock::model::Value> row(columns);
  std::vector<penstock::model::Value> after(columns);
  while (reader.ok() && !reader.AtEnd()) {
    const size_t before = reader.remaining();
    decoder->BeginRow();
    if (!decoder->Decode(reader, present, row)) break;
    if (kind > 0 && !decoder->DecodeAfter(reader, rows, row, after)) break;
    if (reader.remaining() == before) break;
    uint64_t touched = 0;
    for (const auto* image : {&row, &after}) {
      for (const auto& value : *image) {
        for (const char c : value.bytes) touched += static_cast<uint8_t>(c);
      }
    }
    if (touched == UINT64_MAX) __builtin_trap();
  }
  return 0;
}
