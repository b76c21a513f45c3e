#include "clickhouse/block.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace penstock::clickhouse {
namespace {

using namespace std::string_literals;

std::string NativeText(const Block& block) {
  std::string headers;
  std::string text;
  for (const std::string_view piece : NativePieces(block, headers)) text += piece;
  return text;
}

ColumnData Column(std::string name, std::string type, bool nullable = false) {
  ColumnData column;
  column.name = std::move(name);
  column.type = std::move(type);
  column.nullable = nullable;
  return column;
}

TEST(BufferTest, KeepsBytesWhileGrowing) {
  Buffer buffer;
  std::string expected;
  for (int i = 0; i < 5000; ++i) {
    buffer.Append(static_cast<uint32_t>(i));
    expected.append(reinterpret_cast<const char*>(&i), 4);
  }
  EXPECT_EQ(buffer.view(), expected);
}

TEST(BufferTest, IsEmptyAfterMove) {
  Buffer first;
  first.Append("abc"s);
  Buffer second = std::move(first);
  EXPECT_EQ(first.size(), 0U);  // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  first.Append("de"s);
  EXPECT_EQ(first.view(), "de");
  EXPECT_EQ(second.view(), "abc");
  first = std::move(second);
  EXPECT_EQ(first.view(), "abc");
}

TEST(BufferTest, VarintIsLeb128) {
  const auto encoded = [](uint64_t value) {
    Buffer buffer;
    buffer.AppendVarint(value);
    return std::string(buffer.view());
  };
  EXPECT_EQ(encoded(0), "\0"s);
  EXPECT_EQ(encoded(127), "\x7f");
  EXPECT_EQ(encoded(128), "\x80\x01");
  EXPECT_EQ(encoded(300), "\xac\x02");
  EXPECT_EQ(encoded(UINT64_MAX), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

TEST(BufferTest, StringsWhoseLengthComesLater) {
  const std::vector<size_t> sizes = {0, 1, 127, 128, 16383, 16384, 3'000'000};
  for (const size_t expected : sizes) {
    for (const size_t bytes : sizes) {
      const std::string text(bytes, 't');
      Buffer wanted;
      wanted.Append('x');
      wanted.AppendVarint(bytes);
      wanted.Append(std::string_view(text));
      Buffer buffer;
      buffer.Append('x');
      const Buffer::OpenString opened = buffer.BeginString(expected);
      std::memcpy(buffer.Room(bytes), text.data(), bytes);
      buffer.Commit(bytes);
      buffer.EndString(opened);
      EXPECT_TRUE(buffer.view() == wanted.view()) << expected << " " << bytes;
    }
  }
}

TEST(BufferTest, EqualsAStringUnderRandomAppends) {
  EXPECT_TRUE(rc::check([](const std::vector<std::string>& parts, uint8_t zeros) {
    Buffer buffer;
    std::string model;
    for (const std::string& part : parts) {
      buffer.Append(std::string_view(part));
      buffer.AppendZeros(zeros);
      model += part + std::string(zeros, '\0');
    }
    RC_ASSERT(buffer.view() == model);
  }));
}

// The bytes that ClickHouse 26.7 answers to
// SELECT toInt32(t.1) AS id, t.2 AS s FROM (SELECT arrayJoin([(1, NULL), (2, 'ab')]) AS t)
// FORMAT Native
TEST(NativePiecesTest, AreTheBytesOfTheServer) {
  Block block;
  block.rows = 2;
  block.columns.push_back(Column("id", "Int32"));
  block.columns[0].values.Append(int32_t{1});
  block.columns[0].values.Append(int32_t{2});
  block.columns.push_back(Column("s", "String", true));
  block.columns[1].nulls.Append(uint8_t{1});
  block.columns[1].nulls.Append(uint8_t{0});
  block.columns[1].values.AppendVarint(0);
  block.columns[1].values.AppendVarint(2);
  block.columns[1].values.Append("ab"s);
  EXPECT_EQ(NativeText(block),
            "\x02\x02"
            "\x02id\x05Int32\x01\0\0\0\x02\0\0\0"
            "\x01s\x10Nullable(String)\x01\0\0\x02"
            "ab"s);
}

// ... to SELECT toInt32(t.1) AS id, CAST(t.2, 'Array(Float32)') AS v
// FROM (SELECT arrayJoin([(1, [1.5, -2]), (2, []), (3, [0.5])]) AS t) FORMAT Native
TEST(NativePiecesTest, AreTheBytesOfTheServerForArrays) {
  Block block;
  block.rows = 3;
  block.columns.push_back(Column("id", "Int32"));
  for (const int32_t id : {1, 2, 3}) block.columns[0].values.Append(id);
  block.columns.push_back(Column("v", "Array(Float32)"));
  for (const float number : {1.5F, -2.0F, 0.5F}) block.columns[1].values.Append(number);
  for (const uint64_t end : {2U, 2U, 3U}) block.columns[1].ends.Append(end);
  EXPECT_EQ(NativeText(block),
            "\x02\x03"
            "\x02id\x05Int32\x01\0\0\0\x02\0\0\0\x03\0\0\0"
            "\x01v\x0e"
            "Array(Float32)"
            "\x02\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0"
            "\0\0\xc0\x3f\0\0\0\xc0\0\0\0\x3f"s);
}

TEST(NativePiecesTest, PointIntoTheBlock) {
  Block block;
  block.rows = 1;
  block.columns.push_back(Column("a", "UInt8"));
  block.columns[0].values.Append(uint8_t{7});
  std::string headers = "old";
  const std::vector<std::string_view> pieces = NativePieces(block, headers);
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[0].data(), headers.data());
  EXPECT_EQ(pieces[1].data(), block.columns[0].values.data());
}

TEST(NativePiecesTest, CountsBeyondOneByte) {
  Block block;
  block.rows = 300;
  for (int i = 0; i < 200; ++i) block.columns.push_back(Column("c", "UInt8"));
  std::string headers;
  NativePieces(block, headers);
  EXPECT_EQ(headers.substr(0, 4), "\xc8\x01\xac\x02");
}

void AppendRandomRow(Block& block) {
  for (ColumnData& column : block.columns) {
    const auto text = *rc::gen::arbitrary<std::string>();
    if (column.nullable) column.nulls.Append(uint8_t{0});
    if (column.type.starts_with("Array")) {
      column.values.Append(std::string_view(text));
      column.ends.Append(uint64_t{column.values.size()});
      continue;
    }
    column.values.AppendVarint(text.size());
    column.values.Append(std::string_view(text));
  }
  ++block.rows;
}

TEST(BlockTest, RestoreTakesBackWholeAndHalfRows) {
  EXPECT_TRUE(rc::check([] {
    Block block;
    block.columns.push_back(Column("a", "String"));
    block.columns.push_back(Column("b", "String", true));
    block.columns.push_back(Column("c", "Array(UInt8)"));
    const int kept = *rc::gen::inRange(0, 20);
    for (int i = 0; i < kept; ++i) AppendRandomRow(block);
    const std::string before = NativeText(block);
    const size_t bytes = block.bytes();

    const BlockMark mark = block.Mark();
    const int dropped = *rc::gen::inRange(0, 20);
    for (int i = 0; i < dropped; ++i) AppendRandomRow(block);
    block.columns[0].values.Append("half a row"s);
    block.Restore(mark);

    RC_ASSERT(NativeText(block) == before);
    RC_ASSERT(block.bytes() == bytes);
  }));
}

TEST(BlockTest, ClearKeepsTheMemory) {
  Block block;
  block.columns.push_back(Column("a", "String", true));
  block.columns[0].nulls.AppendZeros(10);
  block.columns[0].values.AppendZeros(100'000);
  block.rows = 10;
  const size_t capacity = block.columns[0].values.capacity();
  block.Clear();
  EXPECT_EQ(block.rows, 0U);
  EXPECT_EQ(block.bytes(), 0U);
  EXPECT_EQ(block.columns[0].values.capacity(), capacity);
}

}  // namespace
}  // namespace penstock::clickhouse
