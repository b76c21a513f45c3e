#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"
#include "base/check.h"
#include "model/table.h"
#include "model/value.h"
#include "mysql/wire/binary_row.h"

namespace {

using penstock::ByteReader;
using penstock::model::SqlType;
using penstock::model::Value;
using penstock::model::ValueKind;

penstock::model::Table ReadTable(ByteReader& reader) {
  constexpr size_t kColumnsMax = 64;
  penstock::model::Table table;
  table.columns.resize(reader.U8() % kColumnsMax + 1);
  for (penstock::model::Column& column : table.columns) {
    column.type = static_cast<SqlType>(reader.U8() % (static_cast<int>(SqlType::kUnsupported) + 1));
    column.is_unsigned = reader.U8() % 2 != 0;
    column.precision = reader.U8();
    column.scale = reader.U8();
    column.length = reader.U8();
  }
  return table;
}

// What writers of columns take for granted; reads every byte of a view.
void ExpectSound(const Value& value, std::string_view packet) {
  constexpr int64_t kDecimalEnd = 1'000'000'000'000'000'000;
  if (value.kind == ValueKind::kDecimal) PENSTOCK_CHECK(std::abs(value.i) < kDecimalEnd);
  if (value.kind != ValueKind::kBytes && value.kind != ValueKind::kDecimalText) return;
  PENSTOCK_CHECK(value.bytes.size() <= packet.size());
  size_t zeros = 0;
  for (const char c : value.bytes) zeros += c == '\0' ? 1 : 0;
  PENSTOCK_CHECK(zeros <= packet.size());
}

}  // namespace

// A definition of up to 64 columns, then packets after their lengths.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteReader reader(std::string_view(reinterpret_cast<const char*>(data), size));
  const penstock::model::Table table = ReadTable(reader);
  penstock::mysql::BinaryRowDecoder decoder(table);
  std::vector<Value> row(table.columns.size());
  while (!reader.AtEnd()) {
    const std::string_view packet = reader.Bytes(reader.U16());
    if (!reader.ok() || !decoder.Decode(packet, row)) continue;
    for (const Value& value : row) ExpectSound(value, packet);
  }
  return 0;
}
