// The snapshot's decoder and the log's beside each other: this is the lowest room that knows both.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/value.h"
#include "mysql/binlog/capture_for_test.h"
#include "mysql/binlog/event.h"
#include "mysql/binlog/row_image.h"
#include "mysql/wire/binary_row.h"

namespace penstock::stream {
namespace {

using model::Value;

// Compares the rows of one event, from the `next` packet on, with those that were selected.
void ExpectRowsEqual(binlog::RowImageDecoder& from_log, const binlog::Rows& rows,
                     const binlog::CapturedTable& captured, size_t& next) {
  const model::Table& table = captured.table;
  mysql::BinaryRowDecoder from_select(table);
  std::vector<Value> logged(table.columns.size());
  std::vector<Value> selected(table.columns.size());
  ByteReader reader(rows.data);
  for (; !reader.AtEnd(); ++next) {
    SCOPED_TRACE(fmt::format("row {}", next));
    ASSERT_LT(next, captured.packets.size());
    from_log.BeginRow();
    ASSERT_TRUE(from_log.Decode(reader, rows.present, logged));
    ASSERT_TRUE(from_select.Decode(captured.packets[next], selected));
    for (size_t i = 0; i < logged.size(); ++i) {
      EXPECT_TRUE(logged[i] == selected[i]) << table.columns[i].name;
    }
  }
}

class BothWays : public testing::TestWithParam<std::string> {};

// Every value of tests/data/types_table.py is the same cell by both ways.
TEST_P(BothWays, CellsAreEqual) {
  const binlog::Capture capture = binlog::LoadCapture(GetParam());
  EXPECT_GT(capture.tables.size(), 1U);
  std::optional<binlog::RowImageDecoder> decoder;  // of the last table map
  const binlog::CapturedTable* captured = nullptr;
  std::map<const binlog::CapturedTable*, size_t> rows_seen;
  binlog::EventParser parser;
  parser.set_checksum(capture.checksum_asked_for);
  for (const std::string& packet : capture.events) {
    const auto event = parser.Parse(packet);
    ASSERT_TRUE(event);
    if (const auto* map = std::get_if<binlog::TableMap>(&event->body)) {
      captured = &*std::find_if(
          capture.tables.begin(), capture.tables.end(),
          [map](const auto& candidate) { return candidate.table.name.table == map->table; });
      auto made = binlog::RowImageDecoder::Make(captured->table, *map);
      ASSERT_TRUE(made) << made.error().ToString();
      decoder.emplace(*std::move(made));
    }
    if (const auto* rows = std::get_if<binlog::Rows>(&event->body)) {
      ASSERT_TRUE(decoder);
      ExpectRowsEqual(*decoder, *rows, *captured, rows_seen[captured]);
    }
  }
  for (const binlog::CapturedTable& table : capture.tables) {
    EXPECT_EQ(rows_seen[&table], table.packets.size());
    EXPECT_GT(table.packets.size(), 1U);
  }
}

std::string TestName(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Servers, BothWays,
                         testing::Values("mysql97-vectors", "mysql97-vectors-bare",
                                         "mariadb1011-vectors", "mariadb1011-vectors-bare",
                                         "mariadb118-vectors", "mariadb118-vectors-bare"),
                         TestName);

}  // namespace
}  // namespace penstock::stream
