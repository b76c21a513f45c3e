#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "typemap/column_for_test.h"
#include "typemap/column_map.h"

namespace penstock::typemap {
namespace {

using namespace std::string_literals;
using clickhouse::ColumnData;
using model::Change;
using model::ChangeCounts;
using model::CivilTime;
using model::Column;
using model::SqlType;
using model::Value;
using ::testing::HasSubstr;

Column Decimal(uint32_t precision, uint32_t scale) {
  return WithScale(SqlType::kDecimal, scale, precision);
}
Column Labelled(SqlType type, std::vector<std::string> labels) {
  Column column = Of(type);
  column.charset = "latin1";  // labels are UTF-8 whatever it is
  column.labels = std::move(labels);
  return column;
}

template <typename T>
std::string Le(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}
std::string Text(std::string_view text) {
  return static_cast<char>(text.size()) + std::string(text);
}

CivilTime Civil(int year, int month, int day, int hour = 0, int minute = 0, int second = 0,
                uint32_t micros = 0) {
  return {static_cast<uint16_t>(year),
          static_cast<uint8_t>(month),
          static_cast<uint8_t>(day),
          static_cast<uint8_t>(hour),
          static_cast<uint8_t>(minute),
          static_cast<uint8_t>(second),
          micros};
}
Value At(int year, int month, int day) { return Value::Civil(Civil(year, month, day)); }

// One writer and what it has written.
struct Written {
  Written(const Column& column, TypeOptions options = {}, bool in_key = false) {
    const auto mapping = MapColumn(column, options, in_key);
    auto made = MakeColumnWriter(column, options, in_key);
    EXPECT_TRUE(mapping.has_value() && made.has_value());
    data.name = column.name;
    data.type = mapping->native_type;
    data.nullable = mapping->nullable;
    writer = std::move(*made);
  }

  Status Append(const Value& value) { return writer->Append(value, data); }
  // The bytes of one more value; "" when it is refused, and then nothing may have been written.
  std::string Bytes(const Value& value) {
    const size_t values = data.values.size();
    const size_t nulls = data.nulls.size();
    if (!Append(value)) {
      EXPECT_EQ(data.values.size(), values);
      EXPECT_EQ(data.nulls.size(), nulls);
      return "";
    }
    EXPECT_EQ(data.nulls.size(), nulls + (data.nullable ? 1 : 0));
    return std::string(data.values.view().substr(values));
  }

  ColumnData data;
  std::unique_ptr<ColumnWriter> writer;
};

struct Vector {
  Column column;
  Value value;
  std::string bytes;  // "": refused
};

void ExpectBytes(const std::vector<Vector>& vectors) {
  for (size_t i = 0; i < vectors.size(); ++i) {
    Written written(vectors[i].column);
    EXPECT_EQ(written.Bytes(vectors[i].value), vectors[i].bytes) << "vector " << i;
    EXPECT_EQ(written.writer->changes().total(), 0U) << "vector " << i;
  }
}

// Native bytes that ClickHouse 26.7 answers for these values.
TEST(ColumnWriterTest, Addresses) {
  const std::string uuid = "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"s;
  const std::string inet6 = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\1";
  ExpectBytes({
      {Of(SqlType::kUuid), Value::Bytes(uuid),
       "\x77\x66\x55\x44\x33\x22\x11\x00\xff\xee\xdd\xcc\xbb\xaa\x99\x88"s},
      {Of(SqlType::kInet4), Value::Bytes("\1\2\3\4"), "\4\3\2\1"},
      {Of(SqlType::kInet6), Value::Bytes(inet6), inet6},
      {Of(SqlType::kUuid), Value::Bytes("short"), ""},
      {Of(SqlType::kInet4), Value::Bytes(uuid), ""},
      {Of(SqlType::kInet6), Value::Bytes("\1\2\3\4"), ""},
      {Of(SqlType::kUuid), Value::Uint(1), ""},
      {Of(SqlType::kUuid, true), Value::Null(), std::string(16, '\0')},
      {Of(SqlType::kInet4, true), Value::Null(), std::string(4, '\0')},
  });
}

TEST(ColumnWriterTest, Geometries) {
  const std::string point = "\0\0\0\0\1\1\0\0\0"s + Le(1.0) + Le(-2.5);
  ExpectBytes({
      {Of(SqlType::kGeometry), Value::Bytes(point), Text("POINT(1 -2.5)")},
      {Of(SqlType::kGeometry), Value::Bytes("POINT(1 2)"), ""},
      {Of(SqlType::kGeometry), Value::Bytes(""), Text("")},
      {Of(SqlType::kGeometry, true), Value::Null(), Text("")},
  });
}

TEST(ColumnWriterTest, VectorsAreArrays) {
  Column column = Of(SqlType::kVector, true);
  column.length = 2;
  Written written(column);
  EXPECT_FALSE(written.data.nullable);
  EXPECT_EQ(written.Bytes(Value::Bytes(Le(1.5F) + Le(-2.0F))), Le(1.5F) + Le(-2.0F));
  EXPECT_EQ(written.Bytes(Value::Null()), "");
  EXPECT_EQ(written.Bytes(Value::Bytes(Le(0.5F))), Le(0.5F));
  const std::string ends = Le(uint64_t{2}) + Le(uint64_t{2}) + Le(uint64_t{3});
  EXPECT_EQ(written.data.ends.view(), ends);
  for (const std::string& wrong : {"abc"s, std::string(12, 'x')}) {
    EXPECT_FALSE(written.Append(Value::Bytes(wrong)));
  }
  EXPECT_FALSE(written.Append(Value::Double(1)));
  EXPECT_EQ(written.data.ends.view(), ends) << "a refused vector leaves nothing";
}

TEST(ColumnWriterTest, Integers) {
  ExpectBytes({
      {Of(SqlType::kTinyInt), Value::Int(-128), "\x80"},
      {Of(SqlType::kTinyInt), Value::Int(127), "\x7f"},
      {Of(SqlType::kTinyInt), Value::Int(128), ""},
      {Of(SqlType::kTinyInt), Value::Int(-129), ""},
      {Unsigned(SqlType::kTinyInt), Value::Uint(255), "\xff"},
      {Unsigned(SqlType::kTinyInt), Value::Uint(256), ""},
      {Of(SqlType::kSmallInt), Value::Int(-32768), "\x00\x80"s},
      {Of(SqlType::kSmallInt), Value::Int(32768), ""},
      {Unsigned(SqlType::kSmallInt), Value::Uint(65535), "\xff\xff"},
      {Of(SqlType::kMediumInt), Value::Int(-8388608), Le(int32_t{-8388608})},
      {Unsigned(SqlType::kMediumInt), Value::Uint(16777215), Le(uint32_t{16777215})},
      {Of(SqlType::kInt), Value::Int(INT32_MIN), Le(INT32_MIN)},
      {Of(SqlType::kInt), Value::Int(int64_t{INT32_MAX} + 1), ""},
      {Unsigned(SqlType::kInt), Value::Uint(UINT32_MAX), Le(UINT32_MAX)},
      {Of(SqlType::kBigInt), Value::Int(INT64_MIN), Le(INT64_MIN)},
      {Of(SqlType::kBigInt), Value::Int(INT64_MAX), Le(INT64_MAX)},
      {Unsigned(SqlType::kBigInt), Value::Uint(UINT64_MAX), Le(UINT64_MAX)},
      {Of(SqlType::kBit), Value::Uint(UINT64_MAX), Le(UINT64_MAX)},
      {Of(SqlType::kYear), Value::Uint(0), Le(uint16_t{0})},
      {Of(SqlType::kYear), Value::Uint(2155), Le(uint16_t{2155})},
      {Of(SqlType::kYear), Value::Uint(65536), ""},
  });
}

TEST(ColumnWriterTest, FloatsKeepTheirBits) {
  ExpectBytes({
      {Of(SqlType::kFloat), Value::Float(0.1F), Le(0.1F)},
      {Of(SqlType::kFloat), Value::Float(-0.0F), Le(-0.0F)},
      {Of(SqlType::kFloat), Value::Float(std::numeric_limits<float>::max()),
       Le(std::numeric_limits<float>::max())},
      {Of(SqlType::kDouble), Value::Double(0.1), Le(0.1)},
      {Of(SqlType::kDouble), Value::Double(-0.0), Le(-0.0)},
      {Of(SqlType::kDouble), Value::Double(5e-324), Le(5e-324)},
      {Of(SqlType::kFloat), Value::Double(0.1), ""},
      {Of(SqlType::kDouble), Value::Float(0.1F), ""},
  });
}

TEST(ColumnWriterTest, DecimalsByWidth) {
  const std::string ones(8, '\xff');
  ExpectBytes({
      {Decimal(9, 2), Value::Decimal(999'999'999), Le(int32_t{999'999'999})},
      {Decimal(9, 2), Value::Decimal(-999'999'999), Le(int32_t{-999'999'999})},
      {Decimal(9, 2), Value::Decimal(1'000'000'000), ""},
      {Decimal(1, 0), Value::Decimal(10), ""},
      {Decimal(10, 0), Value::Decimal(-1), Le(int64_t{-1})},
      {Decimal(18, 18), Value::Decimal(999'999'999'999'999'999),
       Le(int64_t{999'999'999'999'999'999})},
      {Decimal(18, 18), Value::Decimal(1'000'000'000'000'000'000), ""},
      {Decimal(18, 0), Value::DecimalText("1"), ""},
      {Decimal(19, 0), Value::Decimal(1), ""},
      {Decimal(19, 2), Value::DecimalText("-0.01"), ones + ones},
      {Decimal(38, 0), Value::DecimalText("18446744073709551616"),
       Le(uint64_t{0}) + Le(uint64_t{1})},
      {Decimal(39, 1), Value::DecimalText("-0.1"), ones + ones + ones + ones},
      {Decimal(65, 30), Value::DecimalText("0.000000000000000000000000000001"),
       Le(uint64_t{1}) + std::string(24, '\0')},
      {Decimal(65, 30), Value::DecimalText("0.1"), ""},
  });
}

TEST(ColumnWriterTest, Strings) {
  const std::string long_text(300, 'x');
  ExpectBytes({
      {Of(SqlType::kVarChar), Value::Bytes(""), "\0"s},
      {Of(SqlType::kChar), Value::Bytes("h\xc3\xa9"), Text("h\xc3\xa9")},
      {Of(SqlType::kText), Value::Bytes(long_text), "\xac\x02" + long_text},
      {Of(SqlType::kBinary), Value::Bytes("a\0"s), Text("a\0"s)},
      {Of(SqlType::kVarBinary), Value::Bytes("\xff"), Text("\xff")},
      {Of(SqlType::kBlob), Value::Bytes("\0"s), Text("\0"s)},
      {Of(SqlType::kJson), Value::Bytes("{\"a\": 1}"), Text("{\"a\": 1}")},
      {Of(SqlType::kText), Value::Int(1), ""},
  });
}

TEST(ColumnWriterTest, EnumsAndSets) {
  const Column size = Labelled(SqlType::kEnum, {"small",
                                                "gr\xc3\xb6\xc3\x9f"
                                                "er"});
  const Column flags = Labelled(SqlType::kSet, {"a", "bb", "c"});
  std::vector<std::string> many(64, "m");
  ExpectBytes({
      {size, Value::Uint(0), "\0"s},
      {size, Value::Uint(1), Text("small")},
      {size, Value::Uint(2),
       Text("gr\xc3\xb6\xc3\x9f"
            "er")},
      {size, Value::Uint(3), ""},
      {size, Value::Uint(UINT64_MAX), ""},
      {size, Value::Bytes("small"), ""},
      {flags, Value::Uint(0), "\0"s},
      {flags, Value::Uint(4), Text("c")},
      {flags, Value::Uint(5), Text("a,c")},
      {flags, Value::Uint(7), Text("a,bb,c")},
      {flags, Value::Uint(8), ""},
      {Labelled(SqlType::kSet, many), Value::Uint(uint64_t{1} << 63), Text("m")},
      {Labelled(SqlType::kSet, {}), Value::Uint(1), ""},
  });
}

Column InCharset(std::string_view charset, bool nullable = false) {
  Column column = Of(SqlType::kVarChar, nullable);
  column.charset = charset;
  return column;
}

TEST(ColumnWriterTest, TextBecomesUtf8) {
  ExpectBytes({
      {InCharset("latin1"), Value::Bytes("caf\xe9 \x80"), Text("caf\xc3\xa9 \xe2\x82\xac")},
      {InCharset("utf16"), Value::Bytes("\xd8\x3d\xde\x00"s), Text("\xf0\x9f\x98\x80")},
      {InCharset("gbk"), Value::Bytes(""), Text("")},
      {InCharset("gbk"), Value::Int(1), ""},
      // As it is, without a look at it.
      {InCharset("utf8mb4"), Value::Bytes("\xff"), Text("\xff")},
      {InCharset("utf8mb3"), Value::Bytes("\xc3\xa9"), Text("\xc3\xa9")},
  });
}

// The length before the bytes is in as many bytes as it needs, whether the text grew or shrank.
TEST(ColumnWriterTest, LengthsOfTextThatGrewOrShrank) {
  const std::vector<size_t> counts = {1, 42, 43, 63, 64, 127, 128, 5461, 5462, 8191, 8192, 20000};
  for (const size_t count : counts) {
    std::string katakana;
    std::string letters;
    for (size_t i = 0; i < count; ++i) letters += "\0\0\0x"s;
    for (size_t i = 0; i < count; ++i) katakana += "\xef\xbd\xb1";
    for (const auto& [charset, from, to] :
         {std::tuple("sjis", std::string(count, '\xb1'), katakana),
          std::tuple("utf32", letters, std::string(count, 'x'))}) {
      Written written(InCharset(charset));
      ASSERT_TRUE(written.Append(Value::Bytes(charset)).has_value());
      const size_t start = written.data.values.size();
      ASSERT_TRUE(written.Append(Value::Bytes(from)).has_value());
      ASSERT_TRUE(written.Append(Value::Bytes("")).has_value());
      clickhouse::Buffer wanted;
      wanted.Append(written.data.values.view().substr(0, start));
      wanted.AppendVarint(to.size());
      wanted.Append(std::string_view(to));
      wanted.AppendVarint(0);
      EXPECT_EQ(written.data.values.view(), wanted.view()) << charset << " " << count;
    }
  }
}

TEST(ColumnWriterTest, BytesThatAreNoCharacterAreCountedByValue) {
  Written written(InCharset("cp1250", true));
  EXPECT_EQ(written.Bytes(Value::Bytes("a\x81\x83")), Text("a??"));
  EXPECT_EQ(written.Bytes(Value::Bytes("a?")), Text("a?"));
  EXPECT_EQ(written.data.nulls.view(), "\0\0"s);
  EXPECT_EQ(ChangeCounts(written.writer->changes())[Change::kReplaced], 1U);
  EXPECT_EQ(written.writer->changes().total(), 1U);
}

TEST(ColumnWriterTest, TextThatCouldMergeRowsIsRefusedInAKey) {
  const std::pair<const char*, std::string> refused[] = {
      {"cp1250", "a\x81"},
      {"ascii", "\x80"},
      {"big5", "\xa1\x5a"},
      {"utf16", "\0a\0"s},
      {"cp932", "\x87\x90"},  // the server itself writes this character as
                              // 81E0
      {"sjis", "C:\\"},       // and this one as 815F
      {"armscii8", "\xa5"},
  };
  for (const auto& [charset, text] : refused) {
    Written key(InCharset(charset), {}, true);
    const Status status = key.Append(Value::Bytes(text));
    ASSERT_FALSE(status.has_value()) << charset;
    EXPECT_EQ(status.error().code, ErrorCode::kBadData);
    EXPECT_THAT(status.error().message, HasSubstr("key column c"));
    EXPECT_EQ(key.data.bytes(), 0U);
    EXPECT_EQ(key.writer->changes().total(), 0U);
  }
  EXPECT_EQ(Written(InCharset("cp932"), {}, true).Bytes(Value::Bytes("\x81\xe0")),
            Text("\xe2\x89\x92"));
  EXPECT_EQ(Written(InCharset("cp932")).Bytes(Value::Bytes("\x87\x90")), Text("\xe2\x89\x92"));
}

TEST(ColumnWriterTest, DatesInRange) {
  const Column date = Of(SqlType::kDate);
  ExpectBytes({
      {date, At(1970, 1, 1), Le(int32_t{0})},
      {date, At(1900, 1, 1), Le(int32_t{-25567})},
      {date, At(2299, 12, 31), Le(int32_t{120529})},
      {date, At(2024, 2, 29), Le(int32_t{19782})},
      {date, Value::Instant(0), ""},
      {date, Value::Bytes("2024-01-01"), ""},
  });
}

TEST(ColumnWriterTest, DateTimesByScale) {
  const auto at = [](uint32_t micros) {
    return Value::Civil(Civil(2001, 9, 9, 1, 46, 40, micros));
  };
  const auto column = [](uint32_t scale) { return WithScale(SqlType::kDateTime, scale); };
  ExpectBytes({
      {column(0), at(0), Le(int64_t{1'000'000'000})},
      {column(1), at(900'000), Le(int64_t{10'000'000'009})},
      {column(3), at(999'000), Le(int64_t{1'000'000'000'999})},
      {column(6), at(999'999), Le(int64_t{1'000'000'000'999'999})},
      {column(3), at(999'999), ""},  // more digits than the column has
      {column(0), Value::Civil(Civil(1900, 1, 1)), Le(int64_t{-2'208'988'800})},
      {column(6), Value::Civil(Civil(2299, 12, 31, 23, 59, 59, 999'999)),
       Le(int64_t{10'413'791'999'999'999})},
      {column(6), Value::Civil(Civil(1969, 12, 31, 23, 59, 59, 999'999)), Le(int64_t{-1})},
      {column(0), Value::Civil(Civil(2024, 1, 1, 24)), ""},
      {column(0), Value::Civil(Civil(2024, 1, 1, 0, 60)), ""},
      {column(0), Value::Civil(Civil(2024, 1, 1, 0, 0, 60)), ""},
      {column(6), Value::Civil(Civil(2024, 1, 1, 0, 0, 0, 1'000'000)), ""},
      {column(0), Value::Instant(0), ""},
  });
}

TEST(ColumnWriterTest, TimestampsAndTimes) {
  const auto timestamp = [](uint32_t scale) { return WithScale(SqlType::kTimestamp, scale); };
  const auto time_of_day = [](uint32_t scale) { return WithScale(SqlType::kTime, scale); };
  ExpectBytes({
      {timestamp(0), Value::Instant(0), Le(int64_t{0})},
      {timestamp(0), Value::Instant(2'147'483'647'000'000), Le(int64_t{2'147'483'647})},
      {timestamp(6), Value::Instant(4'294'967'295'999'999), Le(int64_t{4'294'967'295'999'999})},
      {timestamp(0), Value::Instant(1), ""},
      {timestamp(0), Value::Civil(Civil(2024, 1, 1)), ""},
      {time_of_day(0), Value::Time(0), Le(int64_t{0})},
      {time_of_day(0), Value::Time(3'020'399'000'000), Le(int64_t{3'020'399})},
      {time_of_day(0), Value::Time(-3'020'399'000'000), Le(int64_t{-3'020'399})},
      {time_of_day(1), Value::Time(-500'000), Le(int64_t{-5})},
      {time_of_day(6), Value::Time(-1), Le(int64_t{-1})},
      {time_of_day(2), Value::Time(1), ""},
      {time_of_day(6), Value::Time(3'599'999'999'999), Le(int64_t{3'599'999'999'999})},
      {time_of_day(6), Value::Time(3'600'000'000'000), ""},
      {time_of_day(6), Value::Time(INT64_MIN), ""},
      {time_of_day(0), Value::Int(1), ""},
  });
}

struct ChangeVector {
  Column column;
  Value value;
  std::string bytes;
  Change change;
};

TEST(ColumnWriterTest, DatesOutOfRangeAreClampedAndCounted) {
  const Column date = Of(SqlType::kDate);
  const Column seconds = WithScale(SqlType::kDateTime, 0);
  const Column micros = WithScale(SqlType::kDateTime, 6);
  const ChangeVector vectors[] = {
      {date, At(1899, 12, 31), Le(int32_t{-25567}), Change::kClamped},
      {date, At(0, 1, 1), Le(int32_t{-25567}), Change::kClamped},
      {date, At(2300, 1, 1), Le(int32_t{120529}), Change::kClamped},
      {date, At(9999, 12, 31), Le(int32_t{120529}), Change::kClamped},
      {seconds, At(1000, 1, 1), Le(int64_t{-2'208'988'800}), Change::kClamped},
      {seconds, At(9999, 12, 31), Le(int64_t{10'413'791'999}), Change::kClamped},
      {micros, Value::Civil(Civil(9999, 12, 31, 23, 59, 59, 999'999)),
       Le(int64_t{10'413'791'999'999'999}), Change::kClamped},
      {WithScale(SqlType::kTimestamp, 0), Value::Instant(INT64_MAX), Le(int64_t{10'413'791'999}),
       Change::kClamped},
      // No value is near.
      {date, At(0, 0, 0), Le(int32_t{0}), Change::kReplaced},
      {date, At(2024, 0, 0), Le(int32_t{0}), Change::kReplaced},
      {date, At(2024, 5, 0), Le(int32_t{0}), Change::kReplaced},
      {date, At(2023, 2, 29), Le(int32_t{0}), Change::kReplaced},
      {date, At(9999, 2, 31), Le(int32_t{0}), Change::kReplaced},
      {date, At(2024, 13, 1), Le(int32_t{0}), Change::kReplaced},
      {seconds, At(0, 0, 0), Le(int64_t{0}), Change::kReplaced},
      {WithScale(SqlType::kTimestamp, 0), At(0, 0, 0), Le(int64_t{0}), Change::kReplaced},
  };
  for (size_t i = 0; i < std::size(vectors); ++i) {
    const ChangeVector& vector = vectors[i];
    Written written(vector.column);
    EXPECT_EQ(written.Bytes(vector.value), vector.bytes) << "vector " << i;
    EXPECT_EQ(written.writer->changes().total(), 1U) << "vector " << i;
    EXPECT_EQ(ChangeCounts(written.writer->changes())[vector.change], 1U) << "vector " << i;

    // In a key each of them is refused instead.
    Written key(vector.column, {}, true);
    const Status status = key.Append(vector.value);
    ASSERT_FALSE(status.has_value()) << "vector " << i;
    EXPECT_EQ(status.error().code, ErrorCode::kBadData);
    EXPECT_THAT(status.error().message, HasSubstr("key column c"));
    EXPECT_EQ(key.data.bytes(), 0U);
    EXPECT_EQ(key.writer->changes().total(), 0U);
  }
}

TEST(ColumnWriterTest, RefusedKeyNamesItsValue) {
  Written key(WithScale(SqlType::kDateTime, 0), {}, true);
  const Status status = key.Append(Value::Civil(Civil(2024, 0, 7, 1, 2, 3)));
  ASSERT_FALSE(status.has_value());
  EXPECT_THAT(status.error().message, HasSubstr("2024-00-07 01:02:03.000000"));
}

TEST(ColumnWriterTest, WrongBytesAreToldInHex) {
  Written number(Of(SqlType::kInt));
  const Status status = number.Append(Value::Bytes("\x01\xff"));
  ASSERT_FALSE(status.has_value());
  EXPECT_THAT(status.error().message, HasSubstr("2 bytes, X'01FF'"));
}

TEST(ColumnWriterTest, NullableColumnsKeepNullAndTurnZeroDatesIntoIt) {
  Written written(Of(SqlType::kDate, true));
  EXPECT_EQ(written.Bytes(Value::Null()), Le(int32_t{0}));
  EXPECT_EQ(written.Bytes(At(0, 0, 0)), Le(int32_t{0}));
  EXPECT_EQ(written.Bytes(At(1970, 1, 2)), Le(int32_t{1}));
  EXPECT_EQ(written.Bytes(At(1800, 1, 1)), Le(int32_t{-25567}));
  EXPECT_EQ(written.Bytes(Value::Int(1)), "");
  EXPECT_EQ(written.data.nulls.view(), "\1\1\0\0"s);
  ChangeCounts changes = written.writer->changes();
  EXPECT_EQ(changes[Change::kNulled], 1U);
  EXPECT_EQ(changes[Change::kClamped], 1U);
  EXPECT_EQ(changes[Change::kReplaced], 0U);
}

TEST(ColumnWriterTest, NullOfEveryTypeIsItsDefault) {
  Column wide = Decimal(65, 30);
  Column enumeration = Labelled(SqlType::kEnum, {"a"});
  Column set = Labelled(SqlType::kSet, {"a"});
  const std::pair<Column, size_t> columns[] = {{Of(SqlType::kTinyInt), 1},
                                               {Of(SqlType::kSmallInt), 2},
                                               {Of(SqlType::kInt), 4},
                                               {Of(SqlType::kBigInt), 8},
                                               {Decimal(9, 0), 4},
                                               {Decimal(18, 0), 8},
                                               {Decimal(38, 0), 16},
                                               {wide, 32},
                                               {Of(SqlType::kFloat), 4},
                                               {Of(SqlType::kDouble), 8},
                                               {Of(SqlType::kBit), 8},
                                               {Of(SqlType::kVarChar), 1},
                                               {Of(SqlType::kBlob), 1},
                                               {Of(SqlType::kDate), 4},
                                               {Of(SqlType::kDateTime), 8},
                                               {Of(SqlType::kTimestamp), 8},
                                               {Of(SqlType::kTime), 8},
                                               {Of(SqlType::kYear), 2},
                                               {enumeration, 1},
                                               {set, 1},
                                               {Of(SqlType::kJson), 1}};
  for (auto [column, width] : columns) {
    column.nullable = true;
    for (const bool allow : {true, false}) {
      Written written(column, {.allow_nullable_columns = allow});
      EXPECT_EQ(written.Bytes(Value::Null()), std::string(width, '\0'));
      EXPECT_EQ(written.data.nulls.view(), allow ? "\1" : "");
      EXPECT_EQ(written.writer->changes().total(), 0U);
    }
  }
}

TEST(ColumnWriterTest, NullOfANotNullColumnAndAbsentValuesAreBadData) {
  Written written(Of(SqlType::kInt));
  for (const Value& value : {Value::Null(), Value::Absent()}) {
    const Status status = written.Append(value);
    ASSERT_FALSE(status.has_value());
    EXPECT_EQ(status.error().code, ErrorCode::kBadData);
    EXPECT_EQ(written.data.bytes(), 0U);
  }
  EXPECT_THAT(written.Append(Value::Absent()).error().remedy, HasSubstr("binlog_row_image"));
}

TEST(ColumnWriterTest, BoolUnderTheSwitch) {
  Column column = Of(SqlType::kTinyInt);
  column.type_text = "tinyint(1)";
  const TypeOptions bools{.tinyint1_is_bool = true};
  Written written(column, bools);
  EXPECT_EQ(written.data.type, "Bool");
  EXPECT_EQ(written.Bytes(Value::Int(0)), "\0"s);
  EXPECT_EQ(written.Bytes(Value::Int(1)), "\1");
  EXPECT_EQ(written.writer->changes().total(), 0U);
  EXPECT_EQ(written.Bytes(Value::Int(-1)), "\1");
  EXPECT_EQ(written.Bytes(Value::Int(2)), "\1");
  EXPECT_EQ(ChangeCounts(written.writer->changes())[Change::kClamped], 2U);
  EXPECT_FALSE(Written(column, bools, true).Append(Value::Int(2)).has_value());

  Column bit = Of(SqlType::kBit);
  bit.precision = 1;
  EXPECT_EQ(Written(bit, bools).Bytes(Value::Uint(1)), "\1");
  EXPECT_EQ(Written(column).data.type, "Int8");
  EXPECT_EQ(Written(bit).data.type, "UInt64");
}

TEST(ColumnWriterTest, LabelsThatPrintAlikeAreRefusedInAKey) {
  const Column size = Labelled(SqlType::kEnum, {"a", ""});
  EXPECT_EQ(Written(size).Bytes(Value::Uint(0)), "\0"s);
  Written size_key(size, {}, true);
  EXPECT_EQ(size_key.Bytes(Value::Uint(0)), "");
  EXPECT_EQ(size_key.Bytes(Value::Uint(2)), "\0"s);

  const Column flags = Labelled(SqlType::kSet, {"a", ""});
  EXPECT_EQ(Written(flags).Bytes(Value::Uint(2)), "\0"s);
  EXPECT_EQ(Written(flags).Bytes(Value::Uint(3)), Text("a,"));
  Written flags_key(flags, {}, true);
  EXPECT_EQ(flags_key.Bytes(Value::Uint(2)), "");
  EXPECT_EQ(flags_key.Bytes(Value::Uint(0)), "\0"s);
  EXPECT_EQ(flags_key.Bytes(Value::Uint(3)), Text("a,"));
}

}  // namespace
}  // namespace penstock::typemap
