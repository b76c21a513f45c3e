// Bytes per second of text that becomes UTF-8, by character set and by how much of it is ASCII;
// "utf8mb4" is the copy that costs nothing else.

#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include "base/check.h"
#include "clickhouse/block.h"
#include "model/table.h"
#include "model/value.h"
#include "typemap/column_map.h"

namespace penstock::typemap {
namespace {

constexpr size_t kRows = 1000;

// Rows of `repeat` times `part`.
void Write(benchmark::State& state, std::string_view charset, std::string_view part, int repeat) {
  model::Column column;
  column.name = "c";
  column.type = model::SqlType::kVarChar;
  column.nullable = false;
  column.charset = charset;
  auto writer = MakeColumnWriter(column, {}, false);
  PENSTOCK_CHECK(writer.has_value());
  std::string text;
  for (int i = 0; i < repeat; ++i) text += part;
  const model::Value value = model::Value::Bytes(text);
  clickhouse::ColumnData data;
  for (auto _ : state) {
    data.values.Clear();
    for (size_t row = 0; row < kRows; ++row) {
      PENSTOCK_CHECK((*writer)->Append(value, data).has_value());
    }
    benchmark::DoNotOptimize(data.values.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kRows));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kRows * text.size()));
}

constexpr std::string_view kAscii = "penguin@example.org ";
constexpr std::string_view kFrench = "\xe9t\xe9 \xe0 la mer, o\xf9 ";
constexpr std::string_view kKanji = "\x93\xfa\x96\x7b\x8c\xea\x82\xcc";
constexpr std::string_view kHanzi = "\xd6\xd0\xb9\xfa\xc8\xcb\xc3\xf1";
constexpr std::string_view kUtf16 = {"\0p\0e\0n\0g\0u\0i\0n\0 ", 16};

BENCHMARK_CAPTURE(Write, utf8mb4_short, "utf8mb4", kAscii, 1);
BENCHMARK_CAPTURE(Write, latin1_ascii_short, "latin1", kAscii, 1);
BENCHMARK_CAPTURE(Write, latin1_french_short, "latin1", kFrench, 1);
BENCHMARK_CAPTURE(Write, utf8mb4_long, "utf8mb4", kAscii, 200);
BENCHMARK_CAPTURE(Write, latin1_ascii_long, "latin1", kAscii, 200);
BENCHMARK_CAPTURE(Write, latin1_french_long, "latin1", kFrench, 200);
BENCHMARK_CAPTURE(Write, sjis_kanji_long, "sjis", kKanji, 500);
BENCHMARK_CAPTURE(Write, gbk_hanzi_long, "gbk", kHanzi, 500);
BENCHMARK_CAPTURE(Write, utf16_ascii_long, "utf16", kUtf16, 250);

}  // namespace
}  // namespace penstock::typemap
