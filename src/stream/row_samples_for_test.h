#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/table.h"
#include "mysql/binlog/event.h"
#include "mysql/binlog/event_type.h"

// Cells of every column type in the bytes of both ways, the row image of the log and the row of the
// binary result protocol, for tests and benchmarks of the whole row path.
namespace penstock::stream {

struct Sample {
  model::Column column;
  uint8_t log_type;
  uint16_t metadata;
  std::string logged;    // the cell in a row image
  std::string selected;  // the same cell in a row that a SELECT sends
  bool is_null = false;
};

using Samples = std::vector<Sample>;  // the cells of one row

namespace bytes {

inline std::string Little(uint64_t value, size_t width) {
  return std::string(reinterpret_cast<const char*>(&value), width);
}
inline std::string Big(uint64_t value, size_t width) {
  const std::string little = Little(value, width);
  return {little.rbegin(), little.rend()};
}
inline std::string Counted(std::string_view text, size_t width) {
  return Little(text.size(), width).append(text);
}
inline std::string LengthEncoded(std::string_view text) {
  if (text.size() < 0xfb) return Counted(text, 1);
  return "\xfc" + Counted(text, 2);
}
template <typename T>
std::string Raw(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof(T));
}

}  // namespace bytes

inline model::Column SampleColumn(std::string name, model::SqlType type) {
  model::Column column;
  column.type_text = name;
  column.name = std::move(name);
  column.type = type;
  return column;
}

inline Sample IntegerSample(std::string name, model::SqlType type, uint8_t log_type, size_t width,
                            int64_t value) {
  Sample sample{.column = SampleColumn(std::move(name), type),
                .log_type = log_type,
                .metadata = 0,
                .logged = bytes::Little(static_cast<uint64_t>(value), width),
                .selected = bytes::Little(static_cast<uint64_t>(value), width == 3 ? 4 : width)};
  sample.column.is_unsigned = sample.column.name.ends_with("UNSIGNED");
  return sample;
}

// Groups of digits, each with the bytes that it takes.
using DigitGroups = std::vector<std::pair<uint32_t, size_t>>;

inline Sample DecimalSample(std::string name, uint32_t precision, uint32_t scale,
                            const DigitGroups& groups, std::string_view text) {
  std::string packed;
  for (const auto& [digits, width] : groups) packed += bytes::Big(digits, width);
  packed[0] = static_cast<char>(packed[0] ^ 0x80);
  if (text.starts_with('-')) {
    for (char& c : packed) c = static_cast<char>(~c);
  }
  Sample sample{.column = SampleColumn(std::move(name), model::SqlType::kDecimal),
                .log_type = binlog::kNewDecimalColumn,
                .metadata = static_cast<uint16_t>(precision | scale << 8),
                .logged = packed,
                .selected = bytes::LengthEncoded(text)};
  sample.column.precision = precision;
  sample.column.scale = scale;
  return sample;
}

struct SampleMoment {
  unsigned year, month, day, hour, minute, second, micros;
};

inline std::string SelectedMoment(const SampleMoment& moment) {
  std::string text =
      bytes::Little(moment.year, 2) + bytes::Little(moment.month, 1) + bytes::Little(moment.day, 1);
  text += bytes::Little(moment.hour, 1) + bytes::Little(moment.minute, 1) +
          bytes::Little(moment.second, 1);
  if (moment.micros != 0) text += bytes::Little(moment.micros, 4);
  return bytes::Counted(text, 1);
}

// Fraction digits: 0 or 6.
inline Sample TemporalSample(std::string name, model::SqlType type, uint8_t log_type,
                             uint32_t digits, std::string logged, std::string selected) {
  Sample sample{.column = SampleColumn(std::move(name), type),
                .log_type = log_type,
                .metadata = static_cast<uint16_t>(digits),
                .logged = std::move(logged),
                .selected = std::move(selected)};
  sample.column.scale = digits;
  return sample;
}

inline Sample DateSample(std::string name, unsigned year, unsigned month, unsigned day) {
  return TemporalSample(
      std::move(name), model::SqlType::kDate, binlog::kDateColumn, 0,
      bytes::Little(day | month << 5 | year << 9, 3),
      bytes::Counted(bytes::Little(year, 2) + bytes::Little(month, 1) + bytes::Little(day, 1), 1));
}

inline Sample DateTimeSample(std::string name, uint32_t digits, const SampleMoment& moment) {
  const uint64_t day = (moment.year * 13 + moment.month) << 5 | moment.day;
  const uint64_t packed =
      uint64_t{1} << 39 | day << 17 | moment.hour << 12 | moment.minute << 6 | moment.second;
  return TemporalSample(std::move(name), model::SqlType::kDateTime, binlog::kDateTime2Column,
                        digits, bytes::Big(packed, 5) + bytes::Big(moment.micros, digits / 2),
                        SelectedMoment(moment));
}

// `moment` is what `seconds` are in UTC.
inline Sample TimestampSample(std::string name, uint32_t digits, uint64_t seconds,
                              const SampleMoment& moment) {
  return TemporalSample(std::move(name), model::SqlType::kTimestamp, binlog::kTimestamp2Column,
                        digits, bytes::Big(seconds, 4) + bytes::Big(moment.micros, digits / 2),
                        seconds == 0 ? std::string(1, '\0') : SelectedMoment(moment));
}

inline Sample TimeSample(std::string name, uint32_t digits, const SampleMoment& moment) {
  const uint64_t packed = 1U << 23 | moment.hour << 12 | moment.minute << 6 | moment.second;
  std::string selected(1, '\0');
  selected += bytes::Little(moment.hour / 24, 4) + bytes::Little(moment.hour % 24, 1) +
              bytes::Little(moment.minute, 1) + bytes::Little(moment.second, 1);
  if (digits != 0) selected += bytes::Little(moment.micros, 4);
  return TemporalSample(std::move(name), model::SqlType::kTime, binlog::kTime2Column, digits,
                        bytes::Big(packed, 3) + bytes::Big(moment.micros, digits / 2),
                        bytes::Counted(selected, 1));
}

// A VARCHAR of at most `bytes_max` bytes.
inline Sample VarCharSample(std::string name, std::string charset, uint32_t character_bytes,
                            std::string_view text) {
  constexpr uint32_t kCharacters = 100;
  const uint32_t bytes_max = kCharacters * character_bytes;
  Sample sample{.column = SampleColumn(std::move(name), model::SqlType::kVarChar),
                .log_type = binlog::kVarCharColumn,
                .metadata = static_cast<uint16_t>(bytes_max),
                .logged = bytes::Counted(text, bytes_max > 255 ? 2 : 1),
                .selected = bytes::LengthEncoded(text)};
  sample.column.charset = std::move(charset);
  sample.column.length = kCharacters;
  return sample;
}

// CHAR, BINARY and their kin, of `length` bytes; the log leaves `stripped` zeros at the end out.
inline Sample FixedSample(std::string name, model::SqlType type, uint32_t length,
                          std::string_view value, size_t stripped = 0) {
  Sample sample{.column = SampleColumn(std::move(name), type),
                .log_type = binlog::kStringColumn,
                .metadata = static_cast<uint16_t>(binlog::kStringColumn | length << 8),
                .logged = bytes::Counted(value.substr(0, value.size() - stripped), 1),
                .selected = bytes::LengthEncoded(value)};
  sample.column.length = length;
  return sample;
}

// What has its length in `width` bytes: TEXT, BLOB, geometry, VECTOR.
inline Sample BlobSample(std::string name, model::SqlType type, uint8_t log_type, uint16_t width,
                         std::string_view value, std::string charset = "") {
  Sample sample{.column = SampleColumn(std::move(name), type),
                .log_type = log_type,
                .metadata = width,
                .logged = bytes::Counted(value, width),
                .selected = bytes::LengthEncoded(value)};
  sample.column.charset = std::move(charset);
  return sample;
}

inline Sample LabelsSample(std::string name, model::SqlType type, std::vector<std::string> labels,
                           uint64_t value) {
  const uint8_t real_type =
      type == model::SqlType::kEnum ? binlog::kEnumColumn : binlog::kSetColumn;
  Sample sample{.column = SampleColumn(std::move(name), type),
                .log_type = binlog::kStringColumn,
                .metadata = static_cast<uint16_t>(real_type | 1 << 8),
                .logged = bytes::Little(value, 1),
                .selected = bytes::Little(value, 8)};
  sample.column.charset = "utf8mb4";
  sample.column.labels = std::move(labels);
  return sample;
}

struct SampleMember {
  std::string key;
  std::string text;  // empty: the number
  uint16_t number = 0;
};

// An object; in the log its members' values lie one after the other behind all keys.
inline Sample JsonSample(std::string name, const std::vector<SampleMember>& members) {
  constexpr char kObject = 0;
  constexpr char kUint16 = 6;
  constexpr char kString = 12;
  std::string key_entries;
  std::string value_entries;
  std::string keys;
  std::string values;
  std::string text = "{";
  size_t values_at = 4 + members.size() * 7;
  const size_t keys_at = values_at;
  for (const SampleMember& member : members) values_at += member.key.size();
  for (const SampleMember& member : members) {
    key_entries += bytes::Little(keys_at + keys.size(), 2) + bytes::Little(member.key.size(), 2);
    keys += member.key;
    text.append(text.size() > 1 ? ", \"" : "\"").append(member.key).append("\": ");
    if (member.text.empty()) {
      value_entries += kUint16 + bytes::Little(member.number, 2);
      text += std::to_string(member.number);
    } else {
      value_entries += kString + bytes::Little(values_at + values.size(), 2);
      values += bytes::Counted(member.text, 1);
      text.append("\"").append(member.text).append("\"");
    }
  }
  text += '}';
  std::string document(1, kObject);
  document += bytes::Little(members.size(), 2) + bytes::Little(values_at + values.size(), 2);
  document += key_entries + value_entries + keys + values;
  return {.column = SampleColumn(std::move(name), model::SqlType::kJson),
          .log_type = binlog::kJsonColumn,
          .metadata = 4,
          .logged = bytes::Counted(document, 4),
          .selected = bytes::LengthEncoded(text)};
}

inline Sample JsonSample(std::string name, size_t members) {
  std::vector<SampleMember> list;
  for (size_t i = 0; i < members; ++i) {
    const std::string number = std::to_string(100 + i);
    list.push_back({.key = "key" + number, .text = "a value with the number " + number});
    list.push_back({.key = "num" + number, .text = "", .number = static_cast<uint16_t>(i * 97)});
  }
  return JsonSample(std::move(name), list);
}

inline std::string Repeated(std::string_view part, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += part;
  return text;
}

// Well-known binary behind SRID 0.
inline std::string SamplePoint(double x, double y) {
  return bytes::Little(0, 4) + '\1' + bytes::Little(1, 4) + bytes::Raw(x) + bytes::Raw(y);
}
inline std::string SamplePolygon(size_t points) {
  std::string polygon = bytes::Little(0, 4) + '\1' + bytes::Little(3, 4) + bytes::Little(1, 4) +
                        bytes::Little(points, 4);
  for (size_t i = 0; i < points; ++i) {
    const double x = i + 1 == points ? 0 : static_cast<double>(i) * 1.25;
    polygon += bytes::Raw(x) + bytes::Raw(x * -0.7);
  }
  return polygon;
}

inline void AddNumbers(Samples& samples) {
  using model::SqlType;
  samples.push_back(IntegerSample("TINYINT", SqlType::kTinyInt, binlog::kTinyColumn, 1, -7));
  samples.push_back(IntegerSample("SMALLINT", SqlType::kSmallInt, binlog::kShortColumn, 2, -700));
  samples.push_back(
      IntegerSample("MEDIUMINT", SqlType::kMediumInt, binlog::kInt24Column, 3, -700'000));
  samples.push_back(IntegerSample("INT", SqlType::kInt, binlog::kLongColumn, 4, -70'000'000));
  samples.push_back(
      IntegerSample("BIGINT UNSIGNED", SqlType::kBigInt, binlog::kLongLongColumn, 8, INT64_MAX));
  samples.push_back(
      DecimalSample("DECIMAL(10,2)", 10, 2, {{12'345'678, 4}, {90, 1}}, "12345678.90"));
  samples.push_back(DecimalSample("DECIMAL(20,4)", 20, 4,
                                  {{1'234'567, 4}, {890'123'456, 4}, {7891, 2}},
                                  "-1234567890123456.7891"));
  samples.push_back(DecimalSample("DECIMAL(65,30)", 65, 30,
                                  {{12'345'678, 4},
                                   {901'234'567, 4},
                                   {890'123'456, 4},
                                   {789'012'345, 4},
                                   {678'901'234, 4},
                                   {567'890'123, 4},
                                   {456'789'012, 4},
                                   {345, 2}},
                                  "12345678901234567890123456789012345."
                                  "678901234567890123456789012345"));
  samples.push_back({.column = SampleColumn("FLOAT", SqlType::kFloat),
                     .log_type = binlog::kFloatColumn,
                     .metadata = 4,
                     .logged = bytes::Raw(0.1F),
                     .selected = bytes::Raw(0.1F)});
  samples.push_back({.column = SampleColumn("DOUBLE", SqlType::kDouble),
                     .log_type = binlog::kDoubleColumn,
                     .metadata = 8,
                     .logged = bytes::Raw(0.1),
                     .selected = bytes::Raw(0.1)});
  samples.push_back({.column = SampleColumn("BIT(20)", SqlType::kBit),
                     .log_type = binlog::kBitColumn,
                     .metadata = 4 | 2 << 8,
                     .logged = bytes::Big(0xabcde, 3),
                     .selected = bytes::LengthEncoded(bytes::Big(0xabcde, 3))});
  samples.back().column.precision = 20;
}

inline void AddTexts(Samples& samples) {
  using model::SqlType;
  constexpr std::string_view kAscii = "penguin@example.org";
  constexpr std::string_view kFrench = "\xe9t\xe9 \xe0 la mer, o\xf9 ";
  constexpr std::string_view kHanzi = "\xd6\xd0\xb9\xfa\xc8\xcb\xc3\xf1";
  constexpr std::string_view kUtf16("\0p\0e\0n\0g\0u\0i\0n\0 ", 16);
  const auto add_text = [&](std::string name, std::string charset, const std::string& text) {
    samples.push_back(BlobSample(std::move(name), SqlType::kText, binlog::kBlobColumn, 2, text,
                                 std::move(charset)));
  };
  samples.push_back(FixedSample("CHAR(10) utf8mb4", SqlType::kChar, 40, "penguins"));
  samples.back().column.charset = "utf8mb4";
  samples.back().column.length = 10;
  samples.push_back(VarCharSample("VARCHAR utf8mb4", "utf8mb4", 4, kAscii));
  samples.push_back(VarCharSample("VARCHAR latin1", "latin1", 1, kFrench));
  samples.push_back(VarCharSample("VARCHAR gbk", "gbk", 2, kHanzi));
  samples.push_back(VarCharSample("VARCHAR utf16", "utf16", 4, kUtf16));
  add_text("TEXT utf8mb4, 4 kB", "utf8mb4", Repeated(kAscii, 210));
  add_text("TEXT latin1, 4 kB", "latin1", Repeated(kFrench, 235));
  add_text("TEXT gbk, 4 kB", "gbk", Repeated(kHanzi, 500));
  add_text("TEXT utf16, 4 kB", "utf16", Repeated(kUtf16, 250));
  samples.push_back(FixedSample("BINARY(16)", SqlType::kBinary, 16,
                                std::string_view("0123456789\0\0\0\0\0\0", 16), 6));
  samples.push_back(
      BlobSample("BLOB, 20 B", SqlType::kBlob, binlog::kBlobColumn, 2, std::string(20, '\xfe')));
  samples.push_back(
      BlobSample("BLOB, 4 kB", SqlType::kBlob, binlog::kBlobColumn, 2, std::string(4000, '\xfe')));
  samples.push_back(LabelsSample("ENUM", SqlType::kEnum, {"new", "paid", "shipped"}, 2));
  samples.push_back(LabelsSample("SET", SqlType::kSet, {"red", "green", "blue"}, 5));
}

inline void AddTemporals(Samples& samples) {
  using model::SqlType;
  constexpr SampleMoment kWhole = {2024, 5, 17, 13, 7, 59, 0};
  constexpr SampleMoment kFraction = {2024, 5, 17, 13, 7, 59, 123'456};
  constexpr uint64_t kSeconds = 1'715'951'279;  // that moment
  samples.push_back(DateSample("DATE", 2024, 5, 17));
  samples.push_back(DateTimeSample("DATETIME", 0, kWhole));
  samples.push_back(DateTimeSample("DATETIME(6)", 6, kFraction));
  samples.push_back(TimestampSample("TIMESTAMP", 0, kSeconds, kWhole));
  samples.push_back(TimestampSample("TIMESTAMP(6)", 6, kSeconds, kFraction));
  samples.push_back(TimeSample("TIME", 0, {0, 0, 0, 838, 59, 58, 0}));
  samples.push_back({.column = SampleColumn("YEAR", SqlType::kYear),
                     .log_type = binlog::kYearColumn,
                     .metadata = 0,
                     .logged = bytes::Little(124, 1),
                     .selected = bytes::Little(2024, 2)});
}

inline void AddOthers(Samples& samples) {
  using model::SqlType;
  samples.push_back(JsonSample("JSON, 2 members", 1));
  samples.push_back(JsonSample("JSON, 200 members", 100));
  const auto add_blob = [&](std::string name, SqlType type, uint8_t log_type, std::string value) {
    samples.push_back(BlobSample(std::move(name), type, log_type, 4, value));
  };
  add_blob("POINT", SqlType::kGeometry, binlog::kGeometryColumn, SamplePoint(45.5, -120.25));
  add_blob("POLYGON, 40 points", SqlType::kGeometry, binlog::kGeometryColumn, SamplePolygon(40));
  add_blob("VECTOR(128)", SqlType::kVector, binlog::kVectorColumn, Repeated(bytes::Raw(0.1F), 128));
  samples.back().column.length = 128;
  samples.push_back(FixedSample("UUID", SqlType::kUuid, 16, "0123456789abcdef"));
  samples.push_back(FixedSample("INET4", SqlType::kInet4, 4, "\x0a\x01\x02\x03"));
  samples.push_back(FixedSample("INET6", SqlType::kInet6, 16, "0123456789abcdef"));
}

// A column of every type. Each may be NULL.
inline Samples SamplesOfEveryType() {
  Samples samples;
  AddNumbers(samples);
  AddTexts(samples);
  AddTemporals(samples);
  AddOthers(samples);
  return samples;
}

// Row `n` of a table like that of bench/run.py: 12 mixed columns, about 140 bytes of log.
inline Samples OrdersRow(uint32_t n) {
  using model::SqlType;
  const uint32_t h = n * 2'654'435'761U;
  const SampleMoment created = {2024,   1 + h % 12, 1 + h % 28,     h % 24,
                                h % 60, h / 7 % 60, h % 999'999 + 1};
  const unsigned minute = h % 60;
  const char* const channel = h % 3 == 0 ? "web" : h % 3 == 1 ? "shop" : "phone";
  const std::string cents = std::to_string(100 + h % 100).substr(1);
  Samples row;
  row.push_back(IntegerSample("customer_id", SqlType::kInt, binlog::kLongColumn, 4, h % 100'000));
  row.push_back(IntegerSample("product_id", SqlType::kInt, binlog::kLongColumn, 4, h / 7 % 5000));
  row.push_back(IntegerSample("quantity", SqlType::kSmallInt, binlog::kShortColumn, 2, 1 + h % 20));
  row.push_back(
      LabelsSample("status", SqlType::kEnum, {"new", "paid", "shipped", "returned"}, 1 + h % 4));
  row.push_back(DecimalSample("amount", 12, 2, {{0, 1}, {h % 100'000, 4}, {h % 100, 1}},
                              std::to_string(h % 100'000) + "." + cents));
  row.push_back(VarCharSample("note", "utf8mb4", 4,
                              "note " + std::to_string(h) + " of order " + std::to_string(n)));
  row.push_back({.column = SampleColumn("rate", SqlType::kDouble),
                 .log_type = binlog::kDoubleColumn,
                 .metadata = 8,
                 .logged = bytes::Raw(h / 997.0),
                 .selected = bytes::Raw(h / 997.0)});
  row.push_back(DateTimeSample("created", 6, created));
  row.push_back(
      TimestampSample("updated", 0, 1'715'947'200 + minute, {2024, 5, 17, 12, 0, minute, 0}));
  for (Sample& sample : row) sample.column.nullable = false;
  row.push_back(DateSample("due", 2024, 1 + h % 12, 1 + h % 28));
  row.back().is_null = h % 10 == 0;
  row.push_back(JsonSample("attributes",
                           {{.key = "score", .text = "", .number = static_cast<uint16_t>(h % 1000)},
                            {.key = "channel", .text = channel}}));
  return row;
}

// A table of the samples' columns behind a BIGINT key `id`, and its rows by both ways.
class SampleTable {
 public:
  explicit SampleTable(const Samples& samples) {
    definition_.name = {"shop", "samples"};
    definition_.key = {0};
    definition_.key_is_primary = true;
    AddColumn(Key(0));
    definition_.columns[0].nullable = false;
    for (const Sample& sample : samples) AddColumn(sample);
    present_.assign((metadata_.size() + 7) / 8, '\xff');
  }

  const model::Table& definition() const { return definition_; }
  // Bit per column: a row image holds all.
  const std::string& present() const { return present_; }

  // Views into this table.
  binlog::TableMap Map(uint64_t table_id) const {
    binlog::TableMap map;
    map.table_id = table_id;
    map.schema = definition_.name.schema;
    map.table = definition_.name.table;
    map.types = types_;
    map.metadata = metadata_;
    return map;
  }

  static std::string LoggedRow(int64_t id, const Samples& samples) {
    return NullBits(samples, 0) + Key(id).logged + Cells(samples, &Sample::logged);
  }
  static std::string SelectedRow(int64_t id, const Samples& samples) {
    return NullBits(samples, 2) + Key(id).selected + Cells(samples, &Sample::selected);
  }

 private:
  static Sample Key(int64_t id) {
    return IntegerSample("id", model::SqlType::kBigInt, binlog::kLongLongColumn, 8, id);
  }
  void AddColumn(const Sample& sample) {
    definition_.columns.push_back(sample.column);
    types_ += static_cast<char>(sample.log_type);
    metadata_.push_back(sample.metadata);
  }
  static std::string NullBits(const Samples& samples, size_t offset) {
    std::string bits((samples.size() + 1 + offset + 7) / 8, '\0');
    for (size_t i = 0; i < samples.size(); ++i) {
      const size_t bit = i + 1 + offset;
      if (samples[i].is_null) bits[bit / 8] = static_cast<char>(bits[bit / 8] | 1 << bit % 8);
    }
    return bits;
  }
  static std::string Cells(const Samples& samples, std::string Sample::*form) {
    std::string cells;
    for (const Sample& sample : samples) {
      if (!sample.is_null) cells += sample.*form;
    }
    return cells;
  }

  model::Table definition_;
  std::string types_;
  std::vector<uint16_t> metadata_;
  std::string present_;
};

}  // namespace penstock::stream
