#include "typemap/table_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace penstock::typemap {
namespace {

using namespace std::string_literals;
using model::Column;
using model::SqlType;
using model::Value;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Column Of(std::string name, SqlType type, bool nullable = false) {
  Column column;
  column.name = std::move(name);
  column.type = type;
  column.type_text = "type text";
  column.nullable = nullable;
  return column;
}

// shop.orders (id INT PRIMARY KEY, region VARCHAR NOT NULL, note VARCHAR, day DATE)
model::Table Orders() {
  model::Table table;
  table.name = {"shop", "orders"};
  table.columns = {Of("id", SqlType::kInt), Of("region", SqlType::kVarChar),
                   Of("note", SqlType::kVarChar, true), Of("day", SqlType::kDate, true)};
  table.key = {0};
  table.key_is_primary = true;
  return table;
}

std::vector<Value> Row(int64_t id, std::string_view region, Value note, Value day = Value::Null()) {
  return {Value::Int(id), Value::Bytes(region), note, day};
}

std::string Values(const clickhouse::Block& block, size_t column) {
  return std::string(block.columns[column].values.view());
}

void ExpectRefused(const model::Table& table, const TargetOptions& options, std::string_view word) {
  const auto writer = TableWriter::Make(table, options);
  const auto columns = DestinationColumns(table, options);
  for (const Error& error :
       {writer ? Error{} : writer.error(), columns ? Error{} : columns.error()}) {
    EXPECT_EQ(error.code, ErrorCode::kInvalidArgument) << word;
    EXPECT_THAT(error.message, HasSubstr("shop.orders: "));
    EXPECT_THAT(error.message, HasSubstr(std::string(word)));
  }
}

TEST(TableToReadTest, ExcludedColumnsKeepTheirPlaceButNotTheirType) {
  const model::Table table = TableToRead(Orders(), {.excluded_columns = {"note"}});
  model::Table expected = Orders();
  expected.columns[2].type = SqlType::kUnsupported;
  EXPECT_EQ(table, expected);
}

TEST(SortingKeyTest, IsTheSourceKeyByDefault) {
  model::Table table = Orders();
  table.key = {1, 0};
  EXPECT_THAT(*SortingKey(table, {}), ElementsAre("region", "id"));
}

TEST(SortingKeyTest, PutsTheUsersColumnsFirst) {
  EXPECT_THAT(*SortingKey(Orders(), {.sorting_keys = {"region"}}), ElementsAre("region", "id"));
  EXPECT_THAT(*SortingKey(Orders(), {.sorting_keys = {"id", "region"}}),
              ElementsAre("id", "region"));
}

TEST(SortingKeyTest, WholeRowOfATableWithoutAKey) {
  model::Table keyless = Orders();
  keyless.key = {};
  TargetOptions options{.excluded_columns = {"day"}, .sorting_keys = {"note"}};
  options.whole_row_may_be_key = true;
  EXPECT_THAT(*SortingKey(keyless, options), ElementsAre("note", "id", "region"));
  EXPECT_EQ(DestinationColumns(keyless, options)->at(2).type, "Nullable(String)");
  EXPECT_THAT(*SortingKey(Orders(), {.whole_row_may_be_key = true}), ElementsAre("id"));
  options.types.allow_nullable_columns = false;
  ExpectRefused(keyless, options, "NULL would become a value");
  ExpectRefused(Orders(), {.sorting_keys = {"note"}, .whole_row_may_be_key = true}, "may be NULL");
}

TEST(SortingKeyTest, RefusesWhatCannotTellRowsApart) {
  model::Table keyless = Orders();
  keyless.key = {};
  ExpectRefused(keyless, {}, "no primary key");
  ExpectRefused(Orders(), {.excluded_columns = {"id"}}, "id is excluded");
  ExpectRefused(Orders(), {.sorting_keys = {"note"}}, "may be NULL");
  ExpectRefused(Orders(), {.sorting_keys = {"no"}}, "no does not exist");
  ExpectRefused(Orders(), {.sorting_keys = {"id", "id"}}, "given twice");
}

TEST(DestinationColumnsTest, LeavesOutTheExcluded) {
  const auto columns = DestinationColumns(Orders(), {.excluded_columns = {"note"}});
  ASSERT_TRUE(columns.has_value());
  EXPECT_THAT(
      *columns,
      ElementsAre(clickhouse::DestinationColumn{.name = "id", .type = "Int32"},
                  clickhouse::DestinationColumn{.name = "region", .type = "String"},
                  clickhouse::DestinationColumn{.name = "day", .type = "Nullable(Date32)"}));
}

TEST(DestinationColumnsTest, AnExcludedColumnMayHaveAnyType) {
  model::Table table = Orders();
  table.columns.push_back(Of("shape", SqlType::kUnsupported));
  ExpectRefused(table, {}, "column shape has type");
  EXPECT_TRUE(DestinationColumns(table, {.excluded_columns = {"shape"}}).has_value());
}

TEST(DestinationColumnsTest, RefusesUnknownAndReservedNames) {
  ExpectRefused(Orders(), {.excluded_columns = {"no"}}, "column no does not exist");
  model::Table table = Orders();
  table.columns.push_back(Of("_penstock_version", SqlType::kInt));
  ExpectRefused(table, {}, "_penstock_version");
}

TEST(TableWriterTest, AppendsRowsWithVersionAndDeletion) {
  auto writer = TableWriter::Make(Orders(), {});
  ASSERT_TRUE(writer.has_value());
  clickhouse::Block block = writer->NewBlock();
  ASSERT_TRUE(writer->Append(Row(7, "eu", Value::Null()), 5, clickhouse::ChangeKind::kInsert, block)
                  .has_value());
  ASSERT_TRUE(
      writer->Append(Row(8, "us", Value::Bytes("x")), 6, clickhouse::ChangeKind::kDelete, block)
          .has_value());

  std::string headers;
  std::string native;
  for (const std::string_view piece : clickhouse::NativePieces(block, headers)) native += piece;
  EXPECT_EQ(native,
            "\x06\x02"
            "\x02id\x05Int32\x07\0\0\0\x08\0\0\0"
            "\x06region\x06String\x02"
            "eu\x02us"
            "\x04note\x10Nullable(String)\x01\0\0\x01x"
            "\x03"
            "day\x10Nullable(Date32)\x01\x01\0\0\0\0\0\0\0\0"
            "\x11_penstock_version\x06UInt64\x05\0\0\0\0\0\0\0\x06\0\0\0\0\0\0\0"
            "\x14_penstock_is_deleted\x05UInt8\0\x01"s);
}

TEST(TableWriterTest, RowsTellTheirSource) {
  const TargetOptions options{.tells_source = true};
  EXPECT_THAT(*SortingKey(Orders(), options),
              ElementsAre("_penstock_source_schema", "_penstock_source_table", "id"));
  const auto columns = *DestinationColumns(Orders(), options);
  EXPECT_EQ(columns.size(), DestinationColumns(Orders(), {})->size() + 2);
  EXPECT_EQ(columns.back().type, "LowCardinality(String)");
  auto writer = TableWriter::Make(Orders(), options);
  ASSERT_TRUE(writer.has_value());
  clickhouse::Block block = writer->NewBlock();
  ASSERT_TRUE(
      writer->Append(Row(7, "eu", Value::Null()), 5, clickhouse::ChangeKind::kInsert, block));
  const clickhouse::BlockMark mark = block.Mark();
  ASSERT_TRUE(writer->AppendDeletion(Row(8, "us", Value::Null()), 6, block));
  EXPECT_FALSE(
      writer->Append(Row(8, "us", Value::Int(1)), 7, clickhouse::ChangeKind::kInsert, block));
  const auto& table = block.columns.back();
  EXPECT_EQ(table.name, "_penstock_source_table");
  EXPECT_EQ(table.values.view(), "\x06orders\x06orders");
  EXPECT_EQ(block.columns[block.columns.size() - 2].values.view(), "\x04shop\x04shop");
  block.Restore(mark);
  EXPECT_EQ(table.values.view(), "\x06orders");
}

TEST(TableWriterTest, SkipsExcludedColumns) {
  auto writer = TableWriter::Make(Orders(), {.excluded_columns = {"region"}});
  ASSERT_TRUE(writer.has_value());
  clickhouse::Block block = writer->NewBlock();
  ASSERT_TRUE(
      writer->Append(Row(7, "eu", Value::Bytes("n")), 1, clickhouse::ChangeKind::kInsert, block)
          .has_value());
  EXPECT_EQ(block.columns.size(), 5U);
  EXPECT_EQ(Values(block, 1), "\x01n");
}

TEST(TableWriterTest, AFailedRowLeavesTheBlockAsItWas) {
  auto writer = TableWriter::Make(Orders(), {});
  ASSERT_TRUE(writer.has_value());
  clickhouse::Block block = writer->NewBlock();
  const auto row = Row(7, "eu", Value::Null());
  ASSERT_TRUE(writer->Append(row, 1, clickhouse::ChangeKind::kInsert, block).has_value());
  const clickhouse::BlockMark before = block.Mark();
  const size_t bytes = block.bytes();

  auto bad = Row(8, "us", Value::Bytes("note"));
  bad[3] = Value::Int(1);  // no DATE
  const Status status = writer->Append(bad, 2, clickhouse::ChangeKind::kInsert, block);
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kBadData);
  EXPECT_THAT(status.error().message, HasSubstr("column day"));
  EXPECT_EQ(block.Mark().sizes, before.sizes);
  EXPECT_EQ(block.bytes(), bytes) << "NULL bytes too";
  EXPECT_EQ(block.rows, 1U);

  bad.pop_back();
  EXPECT_EQ(writer->Append(bad, 2, clickhouse::ChangeKind::kInsert, block).error().code,
            ErrorCode::kBadData);
  EXPECT_EQ(block.Mark().sizes, before.sizes);
}

TEST(TableWriterTest, AFailedRowTakesItsArrayBack) {
  model::Table table = Orders();
  table.columns[2] = Of("note", SqlType::kVector, true);
  table.columns[2].length = 1;
  auto writer = TableWriter::Make(table, {});
  ASSERT_TRUE(writer.has_value());
  clickhouse::Block block = writer->NewBlock();
  auto row = Row(7, "eu", Value::Bytes("four"));
  ASSERT_TRUE(writer->Append(row, 1, clickhouse::ChangeKind::kInsert, block).has_value());
  const size_t bytes = block.bytes();
  row[3] = Value::Int(1);  // no DATE
  EXPECT_FALSE(writer->Append(row, 2, clickhouse::ChangeKind::kInsert, block).has_value());
  EXPECT_EQ(block.bytes(), bytes);
  EXPECT_EQ(block.columns[2].ends.size(), sizeof(uint64_t));
}

// A log may leave excluded columns out: generated ones, say.
TEST(TableWriterTest, ARowIsWholeWithoutItsExcludedColumns) {
  auto row = Row(1, "eu", Value::Absent());
  EXPECT_FALSE(TableWriter::Make(Orders(), {})->IsWhole(row));
  auto writer = TableWriter::Make(Orders(), {.excluded_columns = {"note"}});
  ASSERT_TRUE(writer.has_value());
  EXPECT_TRUE(writer->IsWhole(row));
  clickhouse::Block block = writer->NewBlock();
  EXPECT_TRUE(writer->Append(row, 1, clickhouse::ChangeKind::kInsert, block).has_value());
  row[1] = Value::Absent();
  EXPECT_FALSE(writer->IsWhole(row));
}

TEST(TableWriterTest, ADeletionNeedsOnlyTheKey) {
  auto writer = TableWriter::Make(Orders(), {.sorting_keys = {"region"}});
  ASSERT_TRUE(writer.has_value());
  clickhouse::Block block = writer->NewBlock();
  auto row = Row(7, "eu", Value::Absent(), Value::Absent());
  EXPECT_TRUE(writer->HoldsKey(row));
  ASSERT_TRUE(writer->AppendDeletion(row, 3, block));
  EXPECT_EQ(block.rows, 1U);
  EXPECT_EQ(Values(block, 1), "\2eu");
  EXPECT_EQ(Values(block, 2), "\0"s);
  EXPECT_EQ(block.columns[2].nulls.view(), "\1");
  EXPECT_EQ(Values(block, 5), "\1");
  EXPECT_THAT(writer->TakeChanges(), testing::IsEmpty());
  row[0] = Value::Absent();
  EXPECT_FALSE(writer->HoldsKey(row));
  const size_t bytes = block.bytes();
  EXPECT_FALSE(writer->AppendDeletion(row, 4, block));
  EXPECT_EQ(block.bytes(), bytes);
}

TEST(TargetOptionsTest, SortedByThePrimaryKeyInAnyOrder) {
  model::Table table = Orders();
  table.key = {0, 1};
  EXPECT_TRUE(SortedByPrimaryKey(table, {}));
  EXPECT_TRUE(SortedByPrimaryKey(table, {.sorting_keys = {"region"}}));
  EXPECT_FALSE(SortedByPrimaryKey(table, {.sorting_keys = {"day"}}));
  table.key_is_primary = false;
  EXPECT_FALSE(SortedByPrimaryKey(table, {}));
}

TEST(TableWriterTest, KeyChangesOnlyByTheSortingKey) {
  auto writer = TableWriter::Make(Orders(), {.sorting_keys = {"region"}});
  ASSERT_TRUE(writer.has_value());
  const auto row = Row(1, "eu", Value::Null());
  EXPECT_FALSE(writer->KeyChanged(row, Row(1, "eu", Value::Bytes("x"))));
  EXPECT_TRUE(writer->KeyChanged(row, Row(2, "eu", Value::Null())));
  // Equal for MySQL's collation, two rows for ClickHouse.
  EXPECT_TRUE(writer->KeyChanged(row, Row(1, "EU", Value::Null())));
}

TEST(TargetOptionsTest, OverridesAreHeldAgainstTheTable) {
  const auto columns = DestinationColumns(
      Orders(),
      {.overrides = {{.column = "note", .target_type = "LowCardinality(String)"},
                     {.column = "id", .target_type = "Int64", .codec = "Delta, ZSTD(3)"}}});
  ASSERT_TRUE(columns) << columns.error().ToString();
  EXPECT_EQ((*columns)[0], (clickhouse::DestinationColumn{
                               .name = "id", .type = "Int64", .codec = "Delta, ZSTD(3)"}));
  EXPECT_EQ((*columns)[2].type, "LowCardinality(Nullable(String))");
  ExpectRefused(Orders(), {.overrides = {{.column = "no", .codec = "LZ4"}}}, "does not exist");
  ExpectRefused(Orders(), {.overrides = {{.column = "id", .target_type = "Int8"}}},
                "cannot be Int8");
  ExpectRefused(Orders(), {.overrides = {{.column = "id", .codec = "LZ4) DEFAULT (1"}}},
                "no codec");
  ExpectRefused(Orders(), {.overrides = {{.column = "id", .codec = "LZ4; DROP"}}}, "no codec");
  ExpectRefused(Orders(),
                {.overrides = {{.column = "id", .codec = "LZ4"}, {.column = "id", .codec = "LZ4"}}},
                "twice");
  ExpectRefused(Orders(),
                {.excluded_columns = {"note"}, .overrides = {{.column = "note", .codec = "LZ4"}}},
                "excludedColumns");
}

TEST(TableWriterTest, CountsChangesByColumn) {
  auto writer = TableWriter::Make(Orders(), {.excluded_columns = {"note"}});
  ASSERT_TRUE(writer.has_value());
  clickhouse::Block block = writer->NewBlock();
  const Value zero_date = Value::Civil({});
  ASSERT_TRUE(writer
                  ->Append(Row(1, "eu", Value::Null(), zero_date), 1,
                           clickhouse::ChangeKind::kInsert, block)
                  .has_value());
  std::vector<model::ChangeCounts> before;
  writer->SaveChanges(before);
  ASSERT_TRUE(writer
                  ->Append(Row(2, "eu", Value::Null(), zero_date), 2,
                           clickhouse::ChangeKind::kInsert, block)
                  .has_value());
  writer->RestoreChanges(before);
  model::ChangeCounts one;
  one[model::Change::kNulled] = 1;
  EXPECT_EQ(writer->TakeChanges(), (model::ValueChanges{{"day", one}}));
  EXPECT_TRUE(writer->TakeChanges().empty());
}

}  // namespace
}  // namespace penstock::typemap
