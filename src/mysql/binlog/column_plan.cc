#include "mysql/binlog/column_plan.h"

#include <algorithm>
#include <array>
#include <utility>

#include "mysql/binlog/decimal.h"
#include "mysql/binlog/event_type.h"
#include "mysql/binlog/temporal.h"

namespace penstock::binlog {
namespace {

using model::SqlType;

constexpr uint32_t kInt64DecimalDigits = 18;
constexpr uint32_t kFractionDigitsMax = 6;

// STRING columns carry their real type in the metadata's first byte; of a CHAR whose length needs
// ten bits, the two highest are there as well, inverted.
// https://dev.mysql.com/doc/dev/mysql-server/latest/classField__string.html
// (do_save_field_metadata)
struct StringMetadata {
  uint8_t real_type;
  uint16_t length;
};

StringMetadata SplitString(const LoggedColumn& logged) {
  const auto first = static_cast<uint8_t>(logged.metadata & 0xff);
  const auto second = static_cast<uint16_t>(logged.metadata >> 8);
  if (logged.type != kStringColumn) return {logged.type, second};
  if (first == kEnumColumn || first == kSetColumn) return {first, second};
  constexpr uint8_t kLengthBits = 0x30;
  const auto high_bits = static_cast<uint16_t>((first & kLengthBits) ^ kLengthBits);
  return {static_cast<uint8_t>(first | kLengthBits),
          static_cast<uint16_t>(second | high_bits << 4)};
}

// Bytes of the longest character; 0: a character set not known here.
uint32_t CharacterBytesMax(std::string_view charset) {
  using Entry = std::pair<std::string_view, uint32_t>;
  static constexpr std::array<Entry, 41> kCharsets = {{
      {"armscii8", 1}, {"ascii", 1},   {"big5", 2},   {"binary", 1},  {"cp1250", 1},  {"cp1251", 1},
      {"cp1256", 1},   {"cp1257", 1},  {"cp850", 1},  {"cp852", 1},   {"cp866", 1},   {"cp932", 2},
      {"dec8", 1},     {"eucjpms", 3}, {"euckr", 2},  {"gb18030", 4}, {"gb2312", 2},  {"gbk", 2},
      {"geostd8", 1},  {"greek", 1},   {"hebrew", 1}, {"hp8", 1},     {"keybcs2", 1}, {"koi8r", 1},
      {"koi8u", 1},    {"latin1", 1},  {"latin2", 1}, {"latin5", 1},  {"latin7", 1},  {"macce", 1},
      {"macroman", 1}, {"sjis", 2},    {"swe7", 1},   {"tis620", 1},  {"ucs2", 2},    {"ujis", 3},
      {"utf16", 4},    {"utf16le", 4}, {"utf32", 4},  {"utf8mb3", 3}, {"utf8mb4", 4},
  }};
  if (charset == "utf8") return 3;
  for (const auto& [name, bytes] : kCharsets) {
    if (name == charset) return bytes;
  }
  return 0;
}

// Whether a text or binary column of at most `bytes` is what the definition says.
bool LengthFits(const model::Column& column, uint32_t bytes) {
  const bool is_binary = column.type == SqlType::kBinary || column.type == SqlType::kVarBinary;
  const uint32_t character_bytes = is_binary ? 1 : CharacterBytesMax(column.charset);
  return character_bytes == 0 || column.length * character_bytes == bytes;
}

uint8_t LengthWidth(uint32_t bytes_max) { return bytes_max > 255 ? 2 : 1; }

uint8_t EnumWidth(size_t labels) { return labels > 255 ? 2 : 1; }
uint8_t SetWidth(size_t labels) {
  const size_t bytes = (labels + 7) / 8;
  return static_cast<uint8_t>(bytes > 4 ? 8 : bytes);
}

Codec IntegerCodec(uint8_t type, bool is_unsigned) {
  switch (type) {
    case kTinyColumn:
      return is_unsigned ? Codec::kUint8 : Codec::kInt8;
    case kShortColumn:
      return is_unsigned ? Codec::kUint16 : Codec::kInt16;
    case kInt24Column:
      return is_unsigned ? Codec::kUint24 : Codec::kInt24;
    case kLongColumn:
      return is_unsigned ? Codec::kUint32 : Codec::kInt32;
    default:
      return is_unsigned ? Codec::kUint64 : Codec::kInt64;
  }
}

std::optional<ColumnPlan> PlanInteger(const model::Column& column, const LoggedColumn& logged,
                                      uint8_t expected_type) {
  if (logged.type != expected_type) return std::nullopt;
  return ColumnPlan{.codec = IntegerCodec(expected_type, column.is_unsigned)};
}

std::optional<ColumnPlan> PlanFloating(const LoggedColumn& logged, uint8_t expected_type) {
  if (logged.type != expected_type) return std::nullopt;
  const bool is_float = expected_type == kFloatColumn;
  if (logged.metadata != (is_float ? sizeof(float) : sizeof(double))) return std::nullopt;
  return ColumnPlan{.codec = is_float ? Codec::kFloat : Codec::kDouble};
}

std::optional<ColumnPlan> PlanDecimal(const model::Column& column, const LoggedColumn& logged) {
  const DecimalShape shape{.precision = logged.metadata & 0xffU, .scale = logged.metadata / 256U};
  if (logged.type != kNewDecimalColumn || !shape.valid() || shape.precision != column.precision ||
      shape.scale != column.scale) {
    return std::nullopt;
  }
  return ColumnPlan{
      .codec = shape.precision <= kInt64DecimalDigits ? Codec::kDecimal : Codec::kDecimalText,
      .precision = static_cast<uint8_t>(shape.precision),
      .scale = static_cast<uint8_t>(shape.scale)};
}

uint32_t BitsOf(const LoggedColumn& logged) {
  return (logged.metadata & 0xffU) + logged.metadata / 256U * 8;
}

std::optional<ColumnPlan> PlanBit(const model::Column& column, const LoggedColumn& logged) {
  const uint32_t bits = BitsOf(logged);
  if (logged.type != kBitColumn || bits == 0 || bits > 64 || bits != column.precision) {
    return std::nullopt;
  }
  return ColumnPlan{.codec = Codec::kBit, .width = static_cast<uint8_t>((bits + 7) / 8)};
}

std::optional<ColumnPlan> PlanChar(const model::Column& column, const LoggedColumn& logged) {
  const StringMetadata metadata = SplitString(logged);
  if (metadata.real_type != kStringColumn || !LengthFits(column, metadata.length)) {
    return std::nullopt;
  }
  return ColumnPlan{.codec = column.type == SqlType::kBinary ? Codec::kBinary : Codec::kBytes,
                    .width = LengthWidth(metadata.length),
                    .length = metadata.length};
}

// MariaDB's COMPRESSED: a byte more than the value may have is kept for its header.
std::optional<ColumnPlan> PlanCompressedVarChar(const model::Column& column,
                                                const LoggedColumn& logged) {
  if (logged.type != kVarCharCompressedColumn || logged.metadata == 0) return std::nullopt;
  const uint32_t bytes = logged.metadata - 1U;
  if (!LengthFits(column, bytes)) return std::nullopt;
  return ColumnPlan{
      .codec = Codec::kCompressed, .width = LengthWidth(logged.metadata), .length = bytes};
}

std::optional<ColumnPlan> PlanVarChar(const model::Column& column, const LoggedColumn& logged) {
  if (column.compressed) return PlanCompressedVarChar(column, logged);
  const bool type_fits = logged.type == kVarCharColumn || logged.type == kVarStringColumn;
  if (!type_fits || !LengthFits(column, logged.metadata)) return std::nullopt;
  return ColumnPlan{.codec = Codec::kBytes, .width = LengthWidth(logged.metadata)};
}

// TEXT, BLOB, JSON and GEOMETRY: the metadata is the width of the length. TINYTEXT to LONGTEXT
// differ in nothing else, and MariaDB's JSON is a LONGTEXT.
std::optional<ColumnPlan> PlanBlob(const LoggedColumn& logged, uint8_t expected_type, Codec codec) {
  if (logged.type != expected_type || logged.metadata < 1 || logged.metadata > 4) {
    return std::nullopt;
  }
  return ColumnPlan{.codec = codec, .width = static_cast<uint8_t>(logged.metadata)};
}

std::optional<ColumnPlan> PlanText(const model::Column& column, const LoggedColumn& logged) {
  if (!column.compressed) return PlanBlob(logged, kBlobColumn, Codec::kBytes);
  auto plan = PlanBlob(logged, kBlobCompressedColumn, Codec::kCompressed);
  if (plan) plan->length = static_cast<uint32_t>((uint64_t{1} << 8 * plan->width) - 1);
  return plan;
}

// MySQL has a type for it; MariaDB's is a VARBINARY of as many bytes.
std::optional<ColumnPlan> PlanVector(const model::Column& column, const LoggedColumn& logged) {
  if (logged.type == kVectorColumn) return PlanBlob(logged, kVectorColumn, Codec::kBytes);
  if (logged.type != kVarCharColumn || logged.metadata != column.length * sizeof(float)) {
    return std::nullopt;
  }
  return ColumnPlan{.codec = Codec::kBytes, .width = LengthWidth(logged.metadata)};
}

// MariaDB's UUID, INET4 and INET6 are BINARY there: in the order of their text, whatever the order
// in the table's file is.
std::optional<ColumnPlan> PlanAddress(const LoggedColumn& logged, uint8_t bytes) {
  const StringMetadata metadata = SplitString(logged);
  if (metadata.real_type != kStringColumn || metadata.length != bytes) return std::nullopt;
  return ColumnPlan{.codec = Codec::kBinary, .width = 1, .length = bytes};
}

std::optional<ColumnPlan> PlanYear(const model::Column& column, const LoggedColumn& logged) {
  if (logged.type != kYearColumn) return std::nullopt;
  return ColumnPlan{.codec = column.precision == 2 ? Codec::kShortYear : Codec::kYear};
}

std::optional<ColumnPlan> PlanLabels(const LoggedColumn& logged, uint8_t expected_type,
                                     uint8_t width) {
  const StringMetadata metadata = SplitString(logged);
  if (metadata.real_type != expected_type || metadata.length != width) return std::nullopt;
  return ColumnPlan{.codec = Codec::kLabels, .width = width};
}

struct TemporalTypes {
  uint8_t type;
  Codec codec;
  uint8_t old_type;
  Codec old_codec;
};

std::optional<ColumnPlan> PlanTemporal(const model::Column& column, const LoggedColumn& logged,
                                       const TemporalTypes& types) {
  if (column.scale > kFractionDigitsMax) return std::nullopt;
  if (logged.type == types.old_type) {
    return ColumnPlan{.codec = types.old_codec, .scale = static_cast<uint8_t>(column.scale)};
  }
  if (logged.type != types.type || logged.metadata != column.scale) return std::nullopt;
  return ColumnPlan{.codec = types.codec, .scale = static_cast<uint8_t>(column.scale)};
}

std::optional<ColumnPlan> PlanDate(const LoggedColumn& logged) {
  if (logged.type != kDateColumn && logged.type != kNewDateColumn) return std::nullopt;
  return ColumnPlan{.codec = Codec::kDate};
}

ColumnPlan SkipFixed(uint32_t bytes) { return {.codec = Codec::kSkipFixed, .length = bytes}; }
ColumnPlan SkipCounted(uint8_t width) { return {.codec = Codec::kSkipCounted, .width = width}; }

std::optional<ColumnPlan> SkipBlob(const LoggedColumn& logged) {
  if (logged.metadata < 1 || logged.metadata > 4) return std::nullopt;
  return SkipCounted(static_cast<uint8_t>(logged.metadata));
}

// Seconds and larger in `whole` bytes, the fraction in a byte per two digits.
std::optional<ColumnPlan> SkipTemporal(const LoggedColumn& logged, uint32_t whole) {
  if (logged.metadata > kFractionDigitsMax) return std::nullopt;
  return SkipFixed(whole + (logged.metadata + 1U) / 2);
}

std::optional<ColumnPlan> SkipDecimal(const LoggedColumn& logged) {
  const DecimalShape shape{.precision = logged.metadata & 0xffU, .scale = logged.metadata / 256U};
  if (!shape.valid()) return std::nullopt;
  return SkipFixed(DecimalBytes(shape));
}

std::optional<ColumnPlan> SkipString(const LoggedColumn& logged) {
  const StringMetadata metadata = SplitString(logged);
  const bool labels = metadata.real_type == kEnumColumn || metadata.real_type == kSetColumn;
  return labels ? SkipFixed(metadata.length) : SkipCounted(LengthWidth(metadata.length));
}

// How to step over a cell, by what the log says of its column; only the fraction of an old temporal
// type is not in there. Old DECIMALs have no metadata to tell their length by; no server since
// MySQL 5.0 makes them.
// https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Table__map__event.html
std::optional<ColumnPlan> PlanSkip(const LoggedColumn& logged, uint32_t digits) {
  switch (logged.type) {
    case kNullColumn:
      return SkipFixed(0);
    case kTinyColumn:
    case kYearColumn:
      return SkipFixed(1);
    case kShortColumn:
      return SkipFixed(2);
    case kInt24Column:
    case kDateColumn:
    case kNewDateColumn:
      return SkipFixed(3);
    case kLongColumn:
    case kFloatColumn:
      return SkipFixed(4);
    case kLongLongColumn:
    case kDoubleColumn:
      return SkipFixed(8);
    case kOldTimeColumn:
      return SkipFixed(OldTimeBytes(digits));
    case kOldTimestampColumn:
      return SkipFixed(OldTimestampBytes(digits));
    case kOldDateTimeColumn:
      return SkipFixed(OldDateTimeBytes(digits));
    case kTime2Column:
      return SkipTemporal(logged, 3);
    case kTimestamp2Column:
      return SkipTemporal(logged, 4);
    case kDateTime2Column:
      return SkipTemporal(logged, 5);
    case kNewDecimalColumn:
      return SkipDecimal(logged);
    case kBitColumn:
      return SkipFixed((BitsOf(logged) + 7) / 8);
    case kVarCharColumn:
    case kVarStringColumn:
    case kVarCharCompressedColumn:
      return SkipCounted(LengthWidth(logged.metadata));
    case kTinyBlobColumn:
    case kBlobColumn:
    case kMediumBlobColumn:
    case kLongBlobColumn:
    case kBlobCompressedColumn:
    case kJsonColumn:
    case kGeometryColumn:
    case kVectorColumn:
      return SkipBlob(logged);
    case kEnumColumn:
    case kSetColumn:
    case kStringColumn:
      return SkipString(logged);
    default:
      return std::nullopt;
  }
}

std::optional<ColumnPlan> PlanByType(const model::Column& column, const LoggedColumn& logged) {
  switch (column.type) {
    case SqlType::kTinyInt:
      return PlanInteger(column, logged, kTinyColumn);
    case SqlType::kSmallInt:
      return PlanInteger(column, logged, kShortColumn);
    case SqlType::kMediumInt:
      return PlanInteger(column, logged, kInt24Column);
    case SqlType::kInt:
      return PlanInteger(column, logged, kLongColumn);
    case SqlType::kBigInt:
      return PlanInteger(column, logged, kLongLongColumn);
    case SqlType::kDecimal:
      return PlanDecimal(column, logged);
    case SqlType::kFloat:
      return PlanFloating(logged, kFloatColumn);
    case SqlType::kDouble:
      return PlanFloating(logged, kDoubleColumn);
    case SqlType::kBit:
      return PlanBit(column, logged);
    case SqlType::kChar:
    case SqlType::kBinary:
      return PlanChar(column, logged);
    case SqlType::kVarChar:
    case SqlType::kVarBinary:
      return PlanVarChar(column, logged);
    case SqlType::kText:
    case SqlType::kBlob:
      return PlanText(column, logged);
    case SqlType::kJson:
      return PlanBlob(logged, kJsonColumn, Codec::kJson);
    case SqlType::kGeometry:
      return PlanBlob(logged, kGeometryColumn, Codec::kBytes);
    case SqlType::kVector:
      return PlanVector(column, logged);
    case SqlType::kUuid:
    case SqlType::kInet6:
      return PlanAddress(logged, 16);
    case SqlType::kInet4:
      return PlanAddress(logged, 4);
    case SqlType::kDate:
      return PlanDate(logged);
    case SqlType::kDateTime:
      return PlanTemporal(
          column, logged,
          {kDateTime2Column, Codec::kDateTime2, kOldDateTimeColumn, Codec::kOldDateTime});
    case SqlType::kTimestamp:
      return PlanTemporal(
          column, logged,
          {kTimestamp2Column, Codec::kTimestamp2, kOldTimestampColumn, Codec::kOldTimestamp});
    case SqlType::kTime:
      return PlanTemporal(column, logged,
                          {kTime2Column, Codec::kTime2, kOldTimeColumn, Codec::kOldTime});
    case SqlType::kYear:
      return PlanYear(column, logged);
    case SqlType::kEnum:
      return PlanLabels(logged, kEnumColumn, EnumWidth(column.labels.size()));
    case SqlType::kSet:
      return PlanLabels(logged, kSetColumn, SetWidth(column.labels.size()));
    case SqlType::kUnsupported:
      return PlanSkip(logged, std::min(column.scale, kFractionDigitsMax));
  }
  return std::nullopt;
}

bool HasSign(SqlType type) { return type <= SqlType::kDouble; }

// For people: the log's type, as far as it can be told.
std::string Describe(const LoggedColumn& logged) {
  const auto low = logged.metadata & 0xff;
  const auto high = logged.metadata >> 8;
  switch (logged.type) {
    case kTinyColumn:
      return "TINYINT";
    case kShortColumn:
      return "SMALLINT";
    case kInt24Column:
      return "MEDIUMINT";
    case kLongColumn:
      return "INT";
    case kLongLongColumn:
      return "BIGINT";
    case kFloatColumn:
      return "FLOAT";
    case kDoubleColumn:
      return "DOUBLE";
    case kNewDecimalColumn:
      return fmt::format("DECIMAL({},{})", low, high);
    case kBitColumn:
      return fmt::format("BIT({})", low + high * 8);
    case kYearColumn:
      return "YEAR";
    case kDateColumn:
    case kNewDateColumn:
      return "DATE";
    case kOldTimeColumn:
      return "TIME of the old format";
    case kOldDateTimeColumn:
      return "DATETIME of the old format";
    case kOldTimestampColumn:
      return "TIMESTAMP of the old format";
    case kTime2Column:
      return fmt::format("TIME({})", low);
    case kDateTime2Column:
      return fmt::format("DATETIME({})", low);
    case kTimestamp2Column:
      return fmt::format("TIMESTAMP({})", low);
    case kVarCharColumn:
      return fmt::format("VARCHAR or VARBINARY of {} bytes", logged.metadata);
    case kBlobColumn:
      return "TEXT or BLOB";
    case kJsonColumn:
      return "JSON";
    case kGeometryColumn:
      return "GEOMETRY";
    case kVectorColumn:
      return "VECTOR";
    case kBlobCompressedColumn:
    case kVarCharCompressedColumn:
      return "a column that MariaDB compresses (COMPRESSED)";
    case kStringColumn: {
      const StringMetadata metadata = SplitString(logged);
      if (metadata.real_type == kEnumColumn)
        return fmt::format("ENUM of {} bytes", metadata.length);
      if (metadata.real_type == kSetColumn) return fmt::format("SET of {} bytes", metadata.length);
      return fmt::format("CHAR or BINARY of {} bytes", metadata.length);
    }
    default:
      return fmt::format("type {}", logged.type);
  }
}

}  // namespace

Result<ColumnPlan> PlanColumn(const model::Column& column, const LoggedColumn& logged) {
  auto plan = PlanByType(column, logged);
  if (!plan && column.type == SqlType::kUnsupported) {
    return Fail(ErrorCode::kConflict,
                "column `{}` cannot be skipped: the length of its cells in the log ({}) is not "
                "known to this version",
                column.name, Describe(logged));
  }
  if (!plan) {
    return Fail(ErrorCode::kConflict, "column `{}` is {} in its definition, but {} in the log",
                column.name, column.type_text, Describe(logged));
  }
  if (HasSign(column.type) && logged.is_unsigned && *logged.is_unsigned != column.is_unsigned) {
    return Fail(ErrorCode::kConflict, "column `{}` is {} in its definition, but {} in the log",
                column.name, column.type_text, *logged.is_unsigned ? "unsigned" : "signed");
  }
  return *plan;
}

}  // namespace penstock::binlog
