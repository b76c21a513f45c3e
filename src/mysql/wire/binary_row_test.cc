#include "mysql/wire/binary_row.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mysql/wire/column_type.h"

namespace penstock::mysql {
namespace {

using model::CivilTime;
using model::Value;

// Rows that MySQL 9.7.4 sent, and MariaDB 10.11 byte for byte the same, for SELECT
// ti,...,CAST(e AS UNSIGNED)|0,CAST(s AS UNSIGNED)|0,j FROM types (time_zone +00:00), after
//
// CREATE TABLE types (ti TINYINT, ..., j JSON) CHARACTER SET utf8mb4;   -- kColumns below
// SET sql_mode='';
// INSERT INTO types VALUES
// (-128, 255, -32768, 65535, -8388608, 16777215, -2147483648, 4294967295, -9223372036854775808,
//  18446744073709551615, 42, -12345678.90, -0.123456789012345678, -12345678901234567.125, 12.5,
//  12.5, 0.1, 1.125, -2.2250738585072014e-308, 1, b'100000001', x'FFFFFFFFFFFFFFFE', 'ab  ',
//  'v  ', 'é', x'01', x'0102', x'00ff', '1000-01-01', '1000-01-01 00:00:00',
//  '9999-12-31 23:59:59.999999', '1970-01-01 00:00:01', '2038-01-19 03:14:07.999999',
//  '-838:59:59', '-00:00:00.000001', 1901, 'it''s', 'r,b', '{"a": [1, null]}'),
// (127, 0, 32767, 0, 8388607, 0, 2147483647, 0, 9223372036854775807, 0, 0, 0.05,
//  0.000000000000000001, 0, 0, 0, -1.5, 0, 1.7976931348623157e308, 0, 0, 1, '', '', '', '', '', '',
//  '0000-00-00', '2024-00-00 12:00:00', 0, 0, 0, '838:59:59', '12:34:56.5', 2155, '', '', '[]'),
// (NULL, ..., NULL);
constexpr std::string_view kLowRow =
    "00000000000080ff0080ffff000080ffffffff0000000080ffffffff0000000000000080ffffffffffffffff"
    "2a0000000c2d31323334353637382e3930152d302e313233343536373839303132333435363738162d313233"
    "34353637383930313233343536372e3132350b303030303031322e3530301f30303030303030303030303030"
    "30303030303030303030303031322e353030cdcccc3d0000903f0000000000001080010102010108ffffffff"
    "fffffffe0261620376202002c3a904010000000201020200ff04e803010104e80301010b0f270c1f173b3b3f"
    "420f0007b20701010000010bf6070113030e073f420f00080122000000163b3b0c0100000000000000010000"
    "006d0702000000000000000500000000000000107b2261223a205b312c206e756c6c5d7d";
constexpr std::string_view kHighRow =
    "0000000000007f00ff7f0000ffff7f0000000000ffffff7f00000000ffffffffffffff7f0000000000000000"
    "0000000004302e303514302e30303030303030303030303030303030303105302e3030300b30303030303030"
    "2e3030301f3030303030303030303030303030303030303030303030303030302e3030300000c0bf00000000"
    "ffffffffffffef7f0100020000080000000000000001000000040000000000000007e80700000c0000000000"
    "080022000000163b3b0c00000000000c223820a107006b0800000000000000000000000000000000025b5d";
constexpr std::string_view kNullRow = "fcffffffff01";

struct NamedType {
  std::string_view name;
  std::string_view type;
};
constexpr NamedType kColumns[] = {
    {"ti", "tinyint"},
    {"tu", "tinyint unsigned"},
    {"si", "smallint"},
    {"su", "smallint unsigned"},
    {"mi", "mediumint"},
    {"mu", "mediumint unsigned"},
    {"i", "int"},
    {"iu", "int unsigned"},
    {"bi", "bigint"},
    {"bu", "bigint unsigned"},
    {"iz", "int(8) unsigned zerofill"},
    {"d1", "decimal(10,2)"},
    {"d2", "decimal(18,18)"},
    {"d3", "decimal(20,3)"},
    {"dz", "decimal(10,3) unsigned zerofill"},
    {"dy", "decimal(30,3) unsigned zerofill"},
    {"f", "float"},
    {"g", "float(7,3)"},
    {"d", "double"},
    {"b1", "bit(1)"},
    {"b9", "bit(9)"},
    {"b64", "bit(64)"},
    {"c", "char(5)"},
    {"vc", "varchar(20)"},
    {"tx", "text"},
    {"bn", "binary(4)"},
    {"vb", "varbinary(8)"},
    {"bl", "blob"},
    {"dt", "date"},
    {"dm", "datetime"},
    {"d6", "datetime(6)"},
    {"ts", "timestamp"},
    {"t6", "timestamp(6)"},
    {"tm", "time"},
    {"m6", "time(6)"},
    {"y", "year"},
    {"e", "enum('a','it''s','c')"},
    {"s", "set('r','g','b')"},
    {"j", "json"},
};

model::Table TypesTable() {
  model::Table table;
  for (const NamedType& named : kColumns) {
    model::Column& column = table.columns.emplace_back();
    column.name = named.name;
    ParseColumnType(named.type, column);
  }
  return table;
}

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

class BinaryRowTest : public testing::Test {
 protected:
  Status Decode(std::string_view packet) {
    row_.assign(table_.columns.size(), Value::Absent());
    return decoder_.Decode(packet, row_);
  }
  void ExpectRow(const std::vector<Value>& expected) {
    ASSERT_EQ(row_.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_TRUE(row_[i] == expected[i]) << "column " << table_.columns[i].name;
    }
  }

  model::Table table_ = TypesTable();
  BinaryRowDecoder decoder_{table_};
  std::vector<Value> row_;
};

TEST_F(BinaryRowTest, LowestValues) {
  const std::string packet = FromHex(kLowRow);
  ASSERT_TRUE(Decode(packet));
  ExpectRow({
      Value::Int(-128),
      Value::Uint(255),
      Value::Int(-32768),
      Value::Uint(65535),
      Value::Int(-8388608),
      Value::Uint(16777215),
      Value::Int(-2147483648LL),
      Value::Uint(4294967295),
      Value::Int(std::numeric_limits<int64_t>::min()),
      Value::Uint(std::numeric_limits<uint64_t>::max()),
      Value::Uint(42),
      Value::Decimal(-1234567890),
      Value::Decimal(-123456789012345678),
      Value::DecimalText("-12345678901234567.125"),
      Value::Decimal(12500),
      Value::DecimalText("12.500"),
      Value::Float(0.1F),
      Value::Float(1.125F),
      Value::Double(-2.2250738585072014e-308),
      Value::Uint(1),
      Value::Uint(257),
      Value::Uint(0xFFFFFFFFFFFFFFFEULL),
      Value::Bytes("ab"),
      Value::Bytes("v  "),
      Value::Bytes("é"),
      Value::Bytes(std::string_view("\x01\0\0\0", 4)),
      Value::Bytes("\x01\x02"),
      Value::Bytes(std::string_view("\0\xff", 2)),
      Value::Civil({1000, 1, 1, 0, 0, 0, 0}),
      Value::Civil({1000, 1, 1, 0, 0, 0, 0}),
      Value::Civil({9999, 12, 31, 23, 59, 59, 999'999}),
      Value::Instant(1'000'000),
      Value::Instant(2'147'483'647'999'999),
      Value::Time(-3'020'399'000'000),
      Value::Time(-1),
      Value::Uint(1901),
      Value::Uint(2),
      Value::Uint(5),
      Value::Bytes("{\"a\": [1, null]}"),
  });
}

TEST_F(BinaryRowTest, HighestAndZeroValues) {
  const std::string packet = FromHex(kHighRow);
  ASSERT_TRUE(Decode(packet));
  const Value zero_date = Value::Civil(CivilTime{});
  ExpectRow({
      Value::Int(127),
      Value::Uint(0),
      Value::Int(32767),
      Value::Uint(0),
      Value::Int(8388607),
      Value::Uint(0),
      Value::Int(2147483647),
      Value::Uint(0),
      Value::Int(std::numeric_limits<int64_t>::max()),
      Value::Uint(0),
      Value::Uint(0),
      Value::Decimal(5),
      Value::Decimal(1),
      Value::DecimalText("0.000"),
      Value::Decimal(0),
      Value::DecimalText("0.000"),
      Value::Float(-1.5F),
      Value::Float(0),
      Value::Double(1.7976931348623157e308),
      Value::Uint(0),
      Value::Uint(0),
      Value::Uint(1),
      Value::Bytes(""),
      Value::Bytes(""),
      Value::Bytes(""),
      Value::Bytes(std::string_view("\0\0\0\0", 4)),
      Value::Bytes(""),
      Value::Bytes(""),
      zero_date,
      Value::Civil({2024, 0, 0, 12, 0, 0, 0}),
      zero_date,
      zero_date,
      zero_date,
      Value::Time(3'020'399'000'000),
      Value::Time(45'296'500'000),
      Value::Uint(2155),
      Value::Uint(0),
      Value::Uint(0),
      Value::Bytes("[]"),
  });
}

TEST_F(BinaryRowTest, Nulls) {
  const std::string packet = FromHex(kNullRow);
  ASSERT_TRUE(Decode(packet));
  ExpectRow(std::vector<Value>(table_.columns.size(), Value::Null()));
}

TEST_F(BinaryRowTest, EveryTruncationAndEveryExcessIsRefused) {
  for (const std::string_view hex : {kLowRow, kHighRow, kNullRow}) {
    const std::string packet = FromHex(hex);
    for (size_t size = 0; size < packet.size(); ++size) {
      // A copy of its own, so that an address sanitizer sees a read beyond the end.
      const std::vector<char> part(packet.begin(), packet.begin() + static_cast<long>(size));
      const Status decoded = Decode(std::string_view(part.data(), part.size()));
      ASSERT_FALSE(decoded) << size;
      EXPECT_EQ(decoded.error().code, ErrorCode::kBadData);
    }
    EXPECT_FALSE(Decode(packet + '\0'));
  }
}

TEST_F(BinaryRowTest, AnyByteMayBeWrong) {
  for (const std::string_view hex : {kLowRow, kHighRow, kNullRow}) {
    const std::string packet = FromHex(hex);
    for (size_t i = 0; i < packet.size(); ++i) {
      for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xfb, 0xfc, 0xfd, 0xfe, 0xff}) {
        std::vector<char> wrong(packet.begin(), packet.end());
        wrong[i] = static_cast<char>(value);
        const Status decoded = Decode(std::string_view(wrong.data(), wrong.size()));
        EXPECT_TRUE(decoded || decoded.error().code == ErrorCode::kBadData);
      }
    }
  }
}

TEST_F(BinaryRowTest, DecimalMustHaveItsScaleAndFitItsPrecision) {
  model::Table table;
  ParseColumnType("decimal(18,2)", table.columns.emplace_back());
  BinaryRowDecoder decoder(table);
  std::vector<Value> row(1);
  const auto decode = [&](std::string_view text) {
    const std::string packet =
        std::string(1, '\0') + static_cast<char>(text.size()) + std::string(text);
    return decoder.Decode(packet, row);
  };
  ASSERT_TRUE(decode("-9999999999999999.99"));
  EXPECT_TRUE(row[0] == Value::Decimal(-999'999'999'999'999'999));
  for (const std::string_view wrong :
       {"", "-", "1", "1.5", "1.555", "1e2.00", "+1.00", ".50", "99999999999999999.99", "1.0x"}) {
    EXPECT_FALSE(decode(wrong)) << wrong;
  }
}

TEST(SelectListTest, NumbersForEnumsAndNullForTheUnsupported) {
  model::Table table;
  for (const NamedType& named : {NamedType{"a`b", "int"}, NamedType{"e", "enum('x')"},
                                 NamedType{"s", "set('x')"}, NamedType{"g", "xmltype"}}) {
    model::Column& column = table.columns.emplace_back();
    column.name = named.name;
    ParseColumnType(named.type, column);
  }
  EXPECT_EQ(SelectList(table), "`a``b`,CAST(`e` AS UNSIGNED)|0,CAST(`s` AS UNSIGNED)|0,NULL");
}

TEST(SelectListTest, AddressesAsTheirBytes) {
  model::Table table;
  for (const NamedType& named :
       {NamedType{"u", "uuid"}, NamedType{"a", "inet4"}, NamedType{"b", "inet6"},
        NamedType{"g", "point"}, NamedType{"v", "vector(3)"}}) {
    model::Column& column = table.columns.emplace_back();
    column.name = named.name;
    ParseColumnType(named.type, column);
  }
  EXPECT_EQ(SelectList(table),
            "CAST(`u` AS BINARY(16)),CAST(`a` AS BINARY(4)),CAST(`b` AS BINARY(16)),`g`,`v`");
  BinaryRowDecoder decoder(table);
  std::vector<Value> row(5);
  const std::string packet = FromHex("00") +
                             "\x10"
                             "0123456789abcdef"
                             "\x04"
                             "abcd"
                             "\x10"
                             "fedcba9876543210"
                             "\x01"
                             "g"
                             "\x04"
                             "vvvv";
  ASSERT_TRUE(decoder.Decode(packet, row));
  EXPECT_TRUE(row[0] == Value::Bytes("0123456789abcdef"));
  EXPECT_TRUE(row[1] == Value::Bytes("abcd"));
  EXPECT_TRUE(row[4] == Value::Bytes("vvvv"));
}

}  // namespace
}  // namespace penstock::mysql
