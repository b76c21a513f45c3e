// The cost of a value from the bytes that the source sent to the column buffer that goes to
// ClickHouse, by type and by way: "log" decodes row images, "snapshot" rows of the binary result
// protocol. Bytes are those of the source. "orders" counts rows of 12 mixed columns.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "mysql/binlog/row_image.h"
#include "mysql/wire/binary_row.h"
#include "stream/row_samples_for_test.h"
#include "typemap/table_map.h"

namespace penstock::stream {
namespace {

constexpr size_t kValuesInRow = 32;    // so that what a row costs by itself hardly counts
constexpr size_t kBytesMax = 1 << 18;  // of the rows of one pass: what stays in the cache

struct Input {
  SampleTable table;
  std::vector<Samples> rows;
  size_t items_in_row;  // what is counted
};

Input InputOf(const Sample& sample) {
  Samples row;
  for (size_t i = 0; i < kValuesInRow; ++i) {
    row.push_back(sample);
    row.back().column.name += std::to_string(i);
  }
  const size_t row_bytes = sample.logged.size() * kValuesInRow;
  const size_t rows = std::clamp<size_t>(kBytesMax / row_bytes, 1, 256);
  return {SampleTable(row), std::vector<Samples>(rows, row), kValuesInRow};
}

Input Orders() {
  std::vector<Samples> rows;
  for (uint32_t n = 0; n < 1000; ++n) rows.push_back(OrdersRow(n));
  return {SampleTable(rows[0]), rows, 1};
}

typemap::TableWriter WriterOf(const SampleTable& table) {
  auto writer = typemap::TableWriter::Make(table.definition(), {});
  PENSTOCK_CHECK(writer.has_value());
  return *std::move(writer);
}

void Count(benchmark::State& state, const Input& input, size_t bytes) {
  const auto passes = state.iterations();
  state.SetItemsProcessed(passes * static_cast<int64_t>(input.rows.size() * input.items_in_row));
  state.SetBytesProcessed(passes * static_cast<int64_t>(bytes));
}

void FromLog(benchmark::State& state, const Input& input) {
  typemap::TableWriter writer = WriterOf(input.table);
  clickhouse::Block block = writer.NewBlock();
  auto decoder = binlog::RowImageDecoder::Make(input.table.definition(), input.table.Map(1));
  PENSTOCK_CHECK(decoder.has_value());
  std::string bytes;
  for (size_t i = 0; i < input.rows.size(); ++i) {
    bytes += SampleTable::LoggedRow(static_cast<int64_t>(i), input.rows[i]);
  }
  std::vector<model::Value> row(input.table.definition().columns.size());
  for (auto _ : state) {
    ByteReader reader(bytes);
    while (!reader.AtEnd()) {
      decoder->BeginRow();
      PENSTOCK_CHECK(decoder->Decode(reader, input.table.present(), row).has_value());
      PENSTOCK_CHECK(writer.Append(row, 1, clickhouse::ChangeKind::kInsert, block).has_value());
    }
    block.Clear();
  }
  Count(state, input, bytes.size());
}

void FromSelect(benchmark::State& state, const Input& input) {
  typemap::TableWriter writer = WriterOf(input.table);
  clickhouse::Block block = writer.NewBlock();
  mysql::BinaryRowDecoder decoder(input.table.definition());
  std::vector<std::string> packets;
  size_t bytes = 0;
  for (size_t i = 0; i < input.rows.size(); ++i) {
    packets.push_back(SampleTable::SelectedRow(static_cast<int64_t>(i), input.rows[i]));
    bytes += packets.back().size();
  }
  std::vector<model::Value> row(input.table.definition().columns.size());
  for (auto _ : state) {
    for (const std::string& packet : packets) {
      PENSTOCK_CHECK(decoder.Decode(packet, row).has_value());
      PENSTOCK_CHECK(writer.Append(row, 1, clickhouse::ChangeKind::kInsert, block).has_value());
    }
    block.Clear();
  }
  Count(state, input, bytes);
}

void Register(const std::string& name, const Input& input) {
  benchmark::RegisterBenchmark((name + "/log").c_str(),
                               [input](benchmark::State& state) { FromLog(state, input); });
  benchmark::RegisterBenchmark((name + "/snapshot").c_str(),
                               [input](benchmark::State& state) { FromSelect(state, input); });
}

}  // namespace
}  // namespace penstock::stream

int main(int argc, char** argv) {
  using penstock::stream::Register;
  Register("orders", penstock::stream::Orders());
  for (const auto& sample : penstock::stream::SamplesOfEveryType()) {
    Register(sample.column.name, penstock::stream::InputOf(sample));
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
