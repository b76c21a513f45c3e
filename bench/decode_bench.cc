// Rows per second of the row-image decoder on twelve mixed columns, with and without JSON.

#include <benchmark/benchmark.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "mysql/binlog/event_type.h"
#include "mysql/binlog/row_image.h"

namespace penstock::binlog {
namespace {

using model::SqlType;
using std::string_view_literals::operator""sv;

struct Logged {
  SqlType sql_type;
  uint8_t type;
  uint16_t metadata;
  std::string_view cell;
};

// One row: 42, 7, -1, ENUM 2, 1234.56, "penguin@example.org", 0.1, a DATETIME(6), a TIMESTAMP, a
// DATE, {"a": 1, "b": "xyz"}, 1.
const std::vector<Logged>& OrderColumns() {
  static const std::vector<Logged> columns = {
      {SqlType::kBigInt, kLongLongColumn, 0, "\x2a\0\0\0\0\0\0\0"sv},
      {SqlType::kInt, kLongColumn, 0, "\x07\0\0\0"sv},
      {SqlType::kInt, kLongColumn, 0, "\xff\xff\xff\xff"sv},
      {SqlType::kEnum, kStringColumn, kEnumColumn | 1 << 8, "\x02"sv},
      {SqlType::kDecimal, kNewDecimalColumn, 12 | 2 << 8, "\x80\0\x00\x04\xd2\x38"sv},
      {SqlType::kVarChar, kVarCharColumn, 255, "\x13penguin@example.org"sv},
      {SqlType::kDouble, kDoubleColumn, 8, "\x9a\x99\x99\x99\x99\x99\xb9\x3f"sv},
      {SqlType::kDateTime, kDateTime2Column, 6, "\x99\xb2\xba\xc8\xb8\x01\xe2\x40"sv},
      {SqlType::kTimestamp, kTimestamp2Column, 0, "\x65\xe0\x7a\x70"sv},
      {SqlType::kDate, kDateColumn, 0, "\x5d\xd0\x0f"sv},
      {SqlType::kJson, kJsonColumn, 4,
       "\x19\0\0\0\x00\x02\0\x18\0\x12\0\x01\0\x13\0\x01\0\x05\x01\0\x0c\x14\0"
       "ab\x03xyz"sv},
      {SqlType::kTinyInt, kTinyColumn, 0, "\x01"sv},
  };
  return columns;
}

void DecodeOrders(benchmark::State& state, bool with_json) {
  constexpr size_t kRows = 1000;
  model::Table table;
  std::string types;
  std::vector<uint16_t> metadata;
  std::string row_bytes("\0\0", 2);  // nothing is NULL
  for (const Logged& logged : OrderColumns()) {
    const bool json = logged.sql_type == SqlType::kJson;
    model::Column& column = table.columns.emplace_back();
    column.type = json && !with_json ? SqlType::kText : logged.sql_type;
    column.precision = logged.metadata & 0xff;
    column.scale = column.type == SqlType::kDecimal ? logged.metadata >> 8 : logged.metadata;
    column.length = logged.metadata;
    if (logged.sql_type == SqlType::kEnum) column.labels = {"a", "b"};
    const uint8_t type = json && !with_json ? uint8_t{kBlobColumn} : logged.type;
    types += static_cast<char>(type);
    metadata.push_back(logged.metadata);
    row_bytes += logged.cell;
  }
  TableMap map;
  map.types = types;
  map.metadata = metadata;
  auto decoder = RowImageDecoder::Make(table, map);
  PENSTOCK_CHECK(decoder.has_value());
  std::string data;
  for (size_t i = 0; i < kRows; ++i) data += row_bytes;
  std::vector<model::Value> row(table.columns.size());
  for (auto _ : state) {
    ByteReader reader(data);
    while (!reader.AtEnd()) {
      decoder->BeginRow();
      PENSTOCK_CHECK(decoder->Decode(reader, "\xff\x0f", row).has_value());
      benchmark::DoNotOptimize(row.data());
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kRows));
}

BENCHMARK_CAPTURE(DecodeOrders, json, true);
BENCHMARK_CAPTURE(DecodeOrders, text, false);

}  // namespace
}  // namespace penstock::binlog
