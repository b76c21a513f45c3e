#include "mysql/binlog/row_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <map>

#include "mysql/binlog/capture_for_test.h"
#include "mysql/binlog/event.h"
#include "mysql/binlog/event_type.h"

namespace penstock::binlog {
namespace {

using model::SqlType;
using model::Value;
using model::ValueKind;
using testing::HasSubstr;

using TextRow = std::vector<std::optional<std::string>>;

std::string Fraction(uint32_t micros, uint32_t digits) {
  return digits == 0 ? "" : "." + fmt::format("{:06}", micros).substr(0, digits);
}

std::string CivilText(const model::CivilTime& c, const model::Column& column) {
  std::string text = fmt::format("{:04}-{:02}-{:02}", c.year, c.month, c.day);
  if (column.type == SqlType::kDate) return text;
  return text + fmt::format(" {:02}:{:02}:{:02}{}", c.hour, c.minute, c.second,
                            Fraction(c.microsecond, column.scale));
}

std::string InstantText(int64_t micros, const model::Column& column) {
  using namespace std::chrono;
  const sys_time<microseconds> time{microseconds(micros)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  model::CivilTime civil;
  civil.year = static_cast<uint16_t>(static_cast<int>(date.year()));
  civil.month = static_cast<uint8_t>(static_cast<unsigned>(date.month()));
  civil.day = static_cast<uint8_t>(static_cast<unsigned>(date.day()));
  civil.hour = static_cast<uint8_t>(clock.hours().count());
  civil.minute = static_cast<uint8_t>(clock.minutes().count());
  civil.second = static_cast<uint8_t>(clock.seconds().count());
  civil.microsecond = static_cast<uint32_t>(clock.subseconds().count());
  return CivilText(civil, column);
}

std::string TimeText(int64_t micros, const model::Column& column) {
  const int64_t positive = std::abs(micros);
  const int64_t seconds = positive / 1'000'000;
  return fmt::format("{}{:02}:{:02}:{:02}{}", micros < 0 ? "-" : "", seconds / 3600,
                     seconds / 60 % 60, seconds % 60,
                     Fraction(static_cast<uint32_t>(positive % 1'000'000), column.scale));
}

std::string DecimalText(int64_t unscaled, const model::Column& column) {
  std::string digits = std::to_string(std::abs(unscaled));
  if (digits.size() <= column.scale) digits.insert(0, column.scale + 1 - digits.size(), '0');
  if (column.scale > 0) digits.insert(digits.size() - column.scale, ".");
  return (unscaled < 0 ? "-" : "") + digits;
}

// A cell as the server prints it in a SELECT (numbers for BIT, YEAR, ENUM and SET).
std::optional<std::string> Print(const Value& value, const model::Column& column) {
  switch (value.kind) {
    case ValueKind::kNull:
      return std::nullopt;
    case ValueKind::kAbsent:
      return "absent";
    case ValueKind::kInt:
      return std::to_string(value.i);
    case ValueKind::kUint:
      return std::to_string(value.u);
    case ValueKind::kFloat:
    case ValueKind::kDouble:
      return fmt::format("{}", value.d);
    case ValueKind::kDecimal:
      return DecimalText(value.i, column);
    case ValueKind::kCivil:
      return CivilText(value.civil, column);
    case ValueKind::kInstant:
      return InstantText(value.i, column);
    case ValueKind::kTime:
      return TimeText(value.i, column);
    case ValueKind::kDecimalText:
    case ValueKind::kBytes:
      return std::string(value.bytes);
  }
  return std::nullopt;
}

TextRow PrintRow(model::Row row, const model::Table& table) {
  TextRow text;
  for (size_t i = 0; i < row.size(); ++i) text.push_back(Print(row[i], table.columns[i]));
  return text;
}

struct Change {
  RowsKind kind;
  TextRow before;  // of an insert: the new row
  TextRow after;   // of an update
  bool partial_json = false;
};

std::vector<Change> DecodeRows(RowImageDecoder& decoder, const Rows& rows,
                               const model::Table& table) {
  std::vector<Change> changes;
  ByteReader reader(rows.data);
  std::vector<Value> before(table.columns.size());
  std::vector<Value> after(table.columns.size());
  while (!reader.AtEnd()) {
    decoder.BeginRow();
    const Status first = decoder.Decode(reader, rows.present, before);
    EXPECT_TRUE(first) << first.error().ToString();
    if (rows.kind == RowsKind::kUpdate) {
      const Status second = decoder.DecodeAfter(reader, rows, before, after);
      EXPECT_TRUE(second) << second.error().ToString();
    }
    // Both printed only now: the views of both images must still live.
    changes.push_back({rows.kind, PrintRow(before, table),
                       rows.kind == RowsKind::kUpdate ? PrintRow(after, table) : TextRow(),
                       rows.partial_json});
  }
  return changes;
}

// All changes that a capture holds of its tables, by table name.
std::map<std::string, std::vector<Change>> DecodeCapture(const Capture& capture) {
  std::map<std::string, std::vector<Change>> changes;
  std::map<uint64_t, std::pair<const model::Table*, RowImageDecoder>> decoders;
  EventParser parser;
  parser.set_checksum(capture.checksum_asked_for);
  for (const std::string& packet : capture.events) {
    const auto event = parser.Parse(packet);
    EXPECT_TRUE(event) << event.error().ToString();
    if (!event) break;
    if (const auto* map = std::get_if<TableMap>(&event->body)) {
      for (const CapturedTable& captured : capture.tables) {
        if (captured.table.name.table != map->table) continue;
        auto decoder = RowImageDecoder::Make(captured.table, *map);
        EXPECT_TRUE(decoder) << decoder.error().ToString();
        if (decoder) {
          decoders.insert_or_assign(map->table_id, std::pair(&captured.table, *std::move(decoder)));
        }
      }
    }
    if (const auto* rows = std::get_if<Rows>(&event->body)) {
      const auto decoder = decoders.find(rows->table_id);
      if (decoder == decoders.end()) continue;
      const model::Table& table = *decoder->second.first;
      for (Change& change : DecodeRows(decoder->second.second, *rows, table)) {
        changes[table.name.table].push_back(std::move(change));
      }
    }
  }
  return changes;
}

// The text of a FLOAT or DOUBLE may be printed in more than one way.
void ExpectEqual(const std::optional<std::string>& actual,
                 const std::optional<std::string>& expected, const model::Column& column) {
  if (actual && expected && (column.type == SqlType::kFloat || column.type == SqlType::kDouble)) {
    EXPECT_EQ(std::strtod(actual->c_str(), nullptr), std::strtod(expected->c_str(), nullptr))
        << column.name;
    return;
  }
  EXPECT_EQ(actual, expected) << column.name;
}

void ExpectRowsEqual(const std::vector<TextRow>& actual, const CapturedTable& expected) {
  SCOPED_TRACE(expected.table.name.table);
  ASSERT_EQ(actual.size(), expected.rows.size());
  for (size_t r = 0; r < actual.size(); ++r) {
    SCOPED_TRACE(fmt::format("row {}", r));
    ASSERT_EQ(actual[r].size(), expected.rows[r].size());
    for (size_t c = 0; c < actual[r].size(); ++c) {
      ExpectEqual(actual[r][c], expected.rows[r][c], expected.table.columns[c]);
    }
  }
}

std::string TestName(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class CapturedTypes : public testing::TestWithParam<std::string> {};

// What the server wrote into its log is what it SELECTs.
TEST_P(CapturedTypes, InsertedRowsEqualSelectedRows) {
  const Capture capture = LoadCapture(GetParam());
  auto changes = DecodeCapture(capture);
  ASSERT_FALSE(capture.tables.empty());
  for (const CapturedTable& captured : capture.tables) {
    std::vector<TextRow> rows;
    for (Change& change : changes[captured.table.name.table]) {
      EXPECT_EQ(change.kind, RowsKind::kInsert);
      rows.push_back(std::move(change.before));
    }
    ExpectRowsEqual(rows, captured);
  }
}

// Every second column is of no type: its cells are stepped over, whatever the log holds, and the
// others are found where they are.
TEST_P(CapturedTypes, SkippedColumnsLeaveTheOthersAsTheyAre) {
  for (const size_t parity : {0U, 1U}) {
    Capture capture = LoadCapture(GetParam());
    for (CapturedTable& captured : capture.tables) {
      for (size_t c = parity; c < captured.table.columns.size(); c += 2) {
        captured.table.columns[c].type = SqlType::kUnsupported;
        for (TextRow& row : captured.rows) row[c] = std::nullopt;
      }
    }
    auto changes = DecodeCapture(capture);
    for (const CapturedTable& captured : capture.tables) {
      std::vector<TextRow> rows;
      for (Change& change : changes[captured.table.name.table]) rows.push_back(change.before);
      ExpectRowsEqual(rows, captured);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Servers, CapturedTypes,
    testing::Values("mysql97-vectors", "mysql97-vectors-bare", "mariadb1011-vectors",
                    "mariadb1011-vectors-bare", "mariadb118-vectors", "mariadb118-vectors-bare",
                    "mysql97-nulls", "mariadb1011-nulls", "mariadb118-nulls", "mysql97-json",
                    "mysql97-json-kinds", "mariadb1011-old-temporals", "mariadb118-old-temporals",
                    "mariadb1011-addresses", "mariadb1011-addresses-bare", "mariadb118-addresses",
                    "mariadb118-addresses-bare", "mariadb1011-deflated", "mariadb118-deflated"),
    TestName);

class CapturedChanges : public testing::TestWithParam<std::string> {};

// Inserts, updates (of the key too) and deletes under all three row images, and updates inside of
// JSON documents, replayed: an absent cell keeps its value.
TEST_P(CapturedChanges, ReplayEqualsTable) {
  const Capture capture = LoadCapture(GetParam());
  ASSERT_EQ(capture.tables.size(), 1U);
  std::map<int, TextRow> rows;
  const auto id = [](const TextRow& row) { return std::stoi(row[0].value()); };
  bool saw_absent = false;
  const auto changes = DecodeCapture(capture);
  for (const Change& change : changes.at(capture.tables[0].table.name.table)) {
    switch (change.kind) {
      case RowsKind::kInsert:
        rows[id(change.before)] = change.before;
        break;
      case RowsKind::kDelete:
        EXPECT_EQ(rows.erase(id(change.before)), 1U);
        break;
      case RowsKind::kUpdate: {
        auto node = rows.extract(id(change.before));
        ASSERT_FALSE(node.empty());
        TextRow row = node.mapped();
        for (size_t i = 0; i < row.size(); ++i) {
          if (change.after[i] == "absent") {
            saw_absent = true;
          } else {
            row[i] = change.after[i];
          }
        }
        const int key = id(row);
        rows[key] = std::move(row);
      }
    }
  }
  EXPECT_EQ(saw_absent, capture.tables[0].table.name.table == "changes");
  std::vector<TextRow> in_order;
  for (auto& [key, row] : rows) in_order.push_back(row);
  ExpectRowsEqual(in_order, capture.tables[0]);
}

INSTANTIATE_TEST_SUITE_P(Servers, CapturedChanges,
                         testing::Values("mysql97-changes", "mysql97-json-edits",
                                         "mysql97-json-partial", "mariadb1011-changes",
                                         "mariadb118-changes"),
                         TestName);

// Each image of a document edited in place beside its text as the server printed it then.
TEST(RowImageDecoder, EditedDocumentsEqualTheirText) {
  const auto changes = DecodeCapture(LoadCapture("mysql97-json-edits"));
  size_t updates = 0;
  for (const Change& change : changes.at("edits")) {
    if (change.kind != RowsKind::kUpdate) continue;
    EXPECT_EQ(change.after[1], change.after[2]);
    ++updates;
  }
  EXPECT_GT(updates, 40U);
}

// Likewise of documents of which the log holds differences.
TEST(RowImageDecoder, PatchedDocumentsEqualTheirText) {
  const auto changes = DecodeCapture(LoadCapture("mysql97-json-partial"));
  size_t partial_updates = 0;
  for (const Change& change : changes.at("partial")) {
    if (change.kind != RowsKind::kUpdate) continue;
    EXPECT_EQ(change.after[1], change.after[2]);
    if (change.after[5] != "") {
      EXPECT_EQ(change.after[3], change.after[5]);
    }
    partial_updates += change.partial_json ? 1 : 0;
  }
  EXPECT_GT(partial_updates, 390U);
}

TEST(RowImageDecoder, DifferencesWithoutTheirDocumentNeedTheUser) {
  const Capture capture = LoadCapture("mysql97-json-minimal");
  const model::Table& table = capture.tables.at(0).table;
  std::optional<RowImageDecoder> decoder;
  Status status;
  EventParser parser;
  for (const std::string& packet : capture.events) {
    const auto event = parser.Parse(packet);
    ASSERT_TRUE(event);
    if (const auto* map = std::get_if<TableMap>(&event->body)) {
      auto made = RowImageDecoder::Make(table, *map);
      ASSERT_TRUE(made);
      decoder = *std::move(made);
    }
    const auto* rows = std::get_if<Rows>(&event->body);
    if (rows == nullptr || !rows->partial_json) continue;
    ByteReader reader(rows->data);
    std::vector<Value> before(3);
    std::vector<Value> after(3);
    decoder->BeginRow();
    ASSERT_TRUE(decoder->Decode(reader, rows->present, before));
    status = decoder->DecodeAfter(reader, *rows, before, after);
  }
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kNeedsUser);
  EXPECT_THAT(status.error().message, HasSubstr("capture.minimal"));
  EXPECT_THAT(status.error().message, HasSubstr("`k`"));
  EXPECT_THAT(status.error().remedy, HasSubstr("binlog_row_image"));
}

model::Column MakeColumn(SqlType type, std::string type_text) {
  model::Column column;
  column.name = "c";
  column.type = type;
  column.type_text = std::move(type_text);
  return column;
}

Result<RowImageDecoder> Make(const model::Table& table, std::string_view types,
                             const TableMapMemory& memory) {
  TableMap map;
  map.types = types;
  map.metadata = memory.metadata;
  map.is_unsigned = memory.is_unsigned;
  map.names = memory.names;
  return RowImageDecoder::Make(table, map);
}

Result<RowImageDecoder> MakeFor(const model::Column& column, uint8_t type, uint16_t metadata,
                                std::optional<bool> is_unsigned = std::nullopt) {
  model::Table table;
  table.name = {"shop", "orders"};
  table.columns = {column};
  TableMapMemory memory{.metadata = {metadata}, .is_unsigned = {}, .names = {}};
  if (is_unsigned) memory.is_unsigned = {*is_unsigned};
  return Make(table, std::string(1, static_cast<char>(type)), memory);
}

void ExpectConflict(const Result<RowImageDecoder>& result, const std::string& text) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kConflict);
  EXPECT_THAT(result.error().message, HasSubstr("shop.orders"));
  EXPECT_THAT(result.error().message, HasSubstr(text));
}

TEST(RowImageDecoder, RefusesAnotherNumberOfColumns) {
  model::Table table;
  table.name = {"shop", "orders"};
  table.columns.resize(2);
  ExpectConflict(Make(table, "\x03", {.metadata = {0}, .is_unsigned = {}, .names = {}}),
                 "2 columns in its definition, but 1 in the log");
}

TEST(RowImageDecoder, RefusesAnotherName) {
  model::Table table;
  table.name = {"shop", "orders"};
  table.columns = {MakeColumn(SqlType::kInt, "int")};
  ExpectConflict(Make(table, "\x03", {.metadata = {0}, .is_unsigned = {}, .names = {"renamed"}}),
                 "column `c` is called `renamed` in the log");
}

TEST(RowImageDecoder, RefusesAnotherType) {
  const model::Column number = MakeColumn(SqlType::kInt, "int");
  EXPECT_TRUE(MakeFor(number, kLongColumn, 0));
  EXPECT_TRUE(MakeFor(number, kLongColumn, 0, false));
  ExpectConflict(MakeFor(number, kLongLongColumn, 0), "`c` is int in its definition, but BIGINT");
  ExpectConflict(MakeFor(number, kLongColumn, 0, true), "but unsigned in the log");
  ExpectConflict(MakeFor(number, kVarCharCompressedColumn, 100), "COMPRESSED");
  ExpectConflict(MakeFor(number, 200, 0), "type 200");
  ExpectConflict(MakeFor(MakeColumn(SqlType::kUuid, "uuid"), kStringColumn, 0xfe | 4 << 8),
                 "CHAR or BINARY of 4 bytes");
  model::Column vector = MakeColumn(SqlType::kVector, "vector(3)");
  vector.length = 3;
  EXPECT_TRUE(MakeFor(vector, kVarCharColumn, 12));
  ExpectConflict(MakeFor(vector, kVarCharColumn, 16), "16 bytes");
}

TEST(RowImageDecoder, RefusesDeflatedColumnsThatAreNotCompressed) {
  model::Column text = MakeColumn(SqlType::kVarChar, "varchar(10)");
  text.length = 10;
  text.charset = "latin1";
  ExpectConflict(MakeFor(text, kVarCharCompressedColumn, 11), "COMPRESSED");
  text.compressed = true;
  EXPECT_TRUE(MakeFor(text, kVarCharCompressedColumn, 11));
  ExpectConflict(MakeFor(text, kVarCharCompressedColumn, 12), "COMPRESSED");
  ExpectConflict(MakeFor(text, kVarCharColumn, 10), "VARCHAR");
}

TEST(RowImageDecoder, RefusesHiddenColumnsThatAreNone) {
  model::Table table;
  table.name = {"shop", "orders"};
  table.columns = {MakeColumn(SqlType::kInt, "int")};
  table.hidden_columns = 1;
  TableMapMemory memory{.metadata = {0, 0}, .is_unsigned = {}, .names = {}};
  EXPECT_TRUE(Make(table, "\x03\x08", memory));
  ExpectConflict(Make(table, "\x03\x03", memory), "a column in the log");
  memory.names = {"c", "DB_ROW_HASH_1"};
  EXPECT_TRUE(Make(table, "\x03\x08", memory));
  memory.names = {"c", "d"};
  ExpectConflict(Make(table, "\x03\x08", memory), "a column in the log");
}

struct SkipCase {
  uint8_t type;
  uint16_t metadata;
  std::string cell;
};

// Types that no capture holds: the cell, and not a byte more, is stepped over.
TEST(RowImageDecoder, SkipsColumnsOfEveryType) {
  const std::string eight(8, 'x');
  const SkipCase cases[] = {
      {kNullColumn, 0, ""},
      {kGeometryColumn, 4, std::string("\5\0\0\0point", 9)},
      {kVectorColumn, 4, std::string("\4\0\0\0vect", 8)},
      {kBlobCompressedColumn, 2, std::string("\3\0zip", 5)},
      {kVarCharCompressedColumn, 255, "\3zip"},
      {kVarCharCompressedColumn, 256, std::string("\3\0zip", 5)},
      {kVarStringColumn, 10, "\3abc"},
      {kLongBlobColumn, 3, std::string("\1\0\0x", 4)},
      {kEnumColumn, 2 << 8, "ab"},
      {kSetColumn, 8 << 8, eight},
      {kNewDateColumn, 0, "abc"},
      {kOldDateTimeColumn, 0, eight},
  };
  for (const SkipCase& test : cases) {
    SCOPED_TRACE(fmt::format("type {}, metadata {}", test.type, test.metadata));
    auto decoder = MakeFor(MakeColumn(SqlType::kUnsupported, "odd"), test.type, test.metadata);
    ASSERT_TRUE(decoder) << decoder.error().ToString();
    std::vector<Value> row(1, Value::Int(7));
    const std::string image = std::string(1, '\0') + test.cell + "next";
    ByteReader reader(image);
    ASSERT_TRUE(decoder->Decode(reader, "\x01", row));
    EXPECT_TRUE(row[0].is_null());
    EXPECT_EQ(reader.Rest(), "next");
  }
}

TEST(RowImageDecoder, RefusesToSkipWhatHasNoKnownLength) {
  const model::Column odd = MakeColumn(SqlType::kUnsupported, "odd");
  ExpectConflict(MakeFor(odd, 200, 0), "cannot be skipped");
  ExpectConflict(MakeFor(odd, kOldDecimalColumn, 0), "cannot be skipped");
  ExpectConflict(MakeFor(odd, kBlobColumn, 5), "cannot be skipped");
  ExpectConflict(MakeFor(odd, kNewDecimalColumn, 0), "cannot be skipped");
  ExpectConflict(MakeFor(odd, kTime2Column, 7), "cannot be skipped");
}

TEST(RowImageDecoder, RefusesAnotherShape) {
  model::Column decimal = MakeColumn(SqlType::kDecimal, "decimal(10,2)");
  decimal.precision = 10;
  decimal.scale = 2;
  EXPECT_TRUE(MakeFor(decimal, kNewDecimalColumn, 10 | 2 << 8));
  ExpectConflict(MakeFor(decimal, kNewDecimalColumn, 10 | 3 << 8), "DECIMAL(10,3)");
  ExpectConflict(MakeFor(decimal, kNewDecimalColumn, 12 | 2 << 8), "DECIMAL(12,2)");

  model::Column bits = MakeColumn(SqlType::kBit, "bit(9)");
  bits.precision = 9;
  EXPECT_TRUE(MakeFor(bits, kBitColumn, 1 | 1 << 8));
  ExpectConflict(MakeFor(bits, kBitColumn, 0 | 1 << 8), "BIT(8)");

  model::Column time = MakeColumn(SqlType::kTime, "time(3)");
  time.scale = 3;
  EXPECT_TRUE(MakeFor(time, kTime2Column, 3));
  ExpectConflict(MakeFor(time, kTime2Column, 6), "TIME(6)");
  EXPECT_TRUE(MakeFor(time, kOldTimeColumn, 0));
  ExpectConflict(MakeFor(time, kOldDateTimeColumn, 0), "old format");
  ExpectConflict(MakeFor(time, kDateTime2Column, 3), "DATETIME(3)");

  model::Column text = MakeColumn(SqlType::kVarChar, "varchar(10)");
  text.length = 10;
  text.charset = "utf8mb4";
  EXPECT_TRUE(MakeFor(text, kVarCharColumn, 40));
  ExpectConflict(MakeFor(text, kVarCharColumn, 80), "80 bytes");
  text.charset = "some_new_charset";
  EXPECT_TRUE(MakeFor(text, kVarCharColumn, 80));

  model::Column label = MakeColumn(SqlType::kEnum, "enum('a')");
  label.labels = {"a"};
  EXPECT_TRUE(MakeFor(label, kStringColumn, kEnumColumn | 1 << 8));
  ExpectConflict(MakeFor(label, kStringColumn, kEnumColumn | 2 << 8), "ENUM of 2 bytes");
  ExpectConflict(MakeFor(label, kStringColumn, kSetColumn | 1 << 8), "SET of 1 bytes");
}

TEST(RowImageDecoder, MalformedImagesNameTheColumn) {
  auto decoder = MakeFor(MakeColumn(SqlType::kInt, "int"), kLongColumn, 0);
  ASSERT_TRUE(decoder);
  std::vector<Value> row(1);
  for (const std::string& image : {std::string(), std::string("\0", 1), std::string("\0abc", 4)}) {
    ByteReader reader(image);
    const Status status = decoder->Decode(reader, "\x01", row);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kBadData);
    EXPECT_THAT(status.error().message, HasSubstr("shop.orders is malformed at column `c`"));
  }
  ByteReader reader("");
  EXPECT_FALSE(decoder->Decode(reader, "", row)) << "a bitmap of no columns";
}

TEST(RowImageDecoder, MalformedDigitsAreRefused) {
  model::Column decimal = MakeColumn(SqlType::kDecimal, "decimal(9,0)");
  decimal.precision = 9;
  auto decoder = MakeFor(decimal, kNewDecimalColumn, 9);
  ASSERT_TRUE(decoder);
  std::vector<Value> row(1);
  ByteReader reader(std::string_view("\0\xbb\x9a\xca\x00", 5));  // 1000000000: ten digits
  EXPECT_FALSE(decoder->Decode(reader, "\x01", row));
}

// Of one JSON column; `image` is the before image, the options and the after image.
Status DecodeUpdate(std::string_view image) {
  auto decoder = MakeFor(MakeColumn(SqlType::kJson, "json"), kJsonColumn, 4);
  EXPECT_TRUE(decoder);
  const Rows rows{.kind = RowsKind::kUpdate,
                  .table_id = 1,
                  .statement_end = true,
                  .column_count = 1,
                  .present = "\1",
                  .present_after = "\1",
                  .partial_json = true,
                  .data = image};
  ByteReader reader(rows.data);
  std::vector<Value> before(1);
  std::vector<Value> after(1);
  EXPECT_TRUE(decoder->Decode(reader, rows.present, before));
  return decoder->DecodeAfter(reader, rows, before, after);
}

TEST(RowImageDecoder, MalformedPartialImagesAreRefused) {
  using std::string_view_literals::operator""sv;
  EXPECT_TRUE(DecodeUpdate("\0\2\0\0\0\4\1\1\1\0\0\0\0\0"sv)) << "no differences";
  EXPECT_TRUE(DecodeUpdate("\1\0\1"sv)) << "no options";
  EXPECT_TRUE(DecodeUpdate("\1\1\1\1"sv)) << "differences, but NULL";
  for (const auto image :
       {"\1"sv, "\1\1"sv, "\1\2\1"sv, "\1\xff"sv, "\1\1\1\0\0\0\0\0"sv,
        "\0\2\0\0\0\4\1\1\1\0\5\0\0\0"sv, "\0\2\0\0\0\4\1\1\1\0\2\0\0\0\3\0"sv}) {
    const Status status = DecodeUpdate(image);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kBadData);
    EXPECT_THAT(status.error().message, HasSubstr("shop.orders"));
  }
}

}  // namespace
}  // namespace penstock::binlog
