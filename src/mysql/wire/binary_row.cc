#include "mysql/wire/binary_row.h"

#include <algorithm>
#include <new>
#include <type_traits>

#include "base/byte_reader.h"
#include "mysql/wire/connection.h"

namespace penstock::mysql {
namespace {

using model::CivilTime;
using model::SqlType;
using model::Value;

constexpr uint32_t kDecimalDigitsMax = 18;  // beyond it a DECIMAL stays text

constexpr uint32_t kTimeDaysMax = 34;  // TIME goes to 838 hours

// Days from 1970-01-01 to a date of the proleptic Gregorian calendar, with the year begun in March
// so that the leap day is its last.
int64_t DaysFromEpoch(int64_t year, unsigned month, unsigned day) {
  if (month <= 2) --year;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t month_from_march = month > 2 ? month - 3 : month + 9;
  const int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719'468;
}

Value ReadCivil(ByteReader& reader) {
  Value value = Value::Civil({});
  CivilTime& civil = value.civil;
  const uint8_t length = reader.U8();
  if (length != 0 && length != 4 && length != 7 && length != 11) reader.Fail();
  if (length >= 4) {
    civil.year = reader.U16();
    civil.month = reader.U8();
    civil.day = reader.U8();
  }
  if (length >= 7) {
    civil.hour = reader.U8();
    civil.minute = reader.U8();
    civil.second = reader.U8();
  }
  if (length == 11) civil.microsecond = reader.U32();
  return value;
}

Value ReadInstant(ByteReader& reader) {
  const Value value = ReadCivil(reader);
  const CivilTime& civil = value.civil;
  if (civil.year == 0) return value;
  const int64_t days = DaysFromEpoch(civil.year, civil.month, civil.day);
  const int64_t seconds = ((days * 24 + civil.hour) * 60 + civil.minute) * 60 + civil.second;
  return Value::Instant(seconds * 1'000'000 + civil.microsecond);
}

Value ReadTime(ByteReader& reader) {
  const uint8_t length = reader.U8();
  if (length != 0 && length != 8 && length != 12) reader.Fail();
  if (length == 0) return Value::Time(0);
  const bool negative = reader.U8() != 0;
  const uint32_t days = reader.U32();
  if (days > kTimeDaysMax) {
    reader.Fail();
    return Value::Null();
  }
  int64_t seconds = static_cast<int64_t>(days) * 24;
  seconds = (seconds + reader.U8()) * 60;
  seconds = (seconds + reader.U8()) * 60;
  seconds += reader.U8();
  const int64_t micros = seconds * 1'000'000 + (length == 12 ? reader.U32() : 0);
  return Value::Time(negative ? -micros : micros);
}

// "-0012.30" of DECIMAL(10,2) ZEROFILL and the like: sign, digits, exactly `scale` fraction digits.
struct DecimalText {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
};

bool AllDigits(std::string_view text) {
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return true;
}

bool SplitDecimal(std::string_view text, uint32_t scale, DecimalText& out) {
  out.negative = text.starts_with('-');
  if (out.negative) text.remove_prefix(1);
  const size_t point = text.find('.');
  out.whole = text.substr(0, point);
  out.fraction = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  return !out.whole.empty() && out.fraction.size() == scale && AllDigits(out.whole) &&
         AllDigits(out.fraction);
}

Value ReadDecimal(ByteReader& reader, uint32_t precision, uint32_t scale) {
  const std::string_view text = reader.LengthEncodedBytes();
  DecimalText decimal;
  if (!reader.ok() || !SplitDecimal(text, scale, decimal)) {
    reader.Fail();
    return Value::Null();
  }
  if (precision > kDecimalDigitsMax) {
    // ZEROFILL pads with zeros that the log does not have; no such column is negative.
    const size_t zeros = decimal.whole.find_first_not_of('0');
    const size_t skip = std::min(zeros, decimal.whole.size() - 1);
    return Value::DecimalText(decimal.negative ? text : text.substr(skip));
  }
  int64_t unscaled = 0;
  const size_t zeros = std::min(decimal.whole.find_first_not_of('0'), decimal.whole.size());
  decimal.whole.remove_prefix(zeros);
  if (decimal.whole.size() + scale > kDecimalDigitsMax) {
    reader.Fail();
    return Value::Null();
  }
  for (const std::string_view digits : {decimal.whole, decimal.fraction}) {
    for (const char c : digits) unscaled = unscaled * 10 + (c - '0');
  }
  return Value::Decimal(decimal.negative ? -unscaled : unscaled);
}

size_t IntegerBytes(SqlType type) {
  switch (type) {
    case SqlType::kTinyInt:
      return 1;
    case SqlType::kSmallInt:
      return 2;
    case SqlType::kMediumInt:
    case SqlType::kInt:
      return 4;
    case SqlType::kBigInt:
      return 8;
    default:
      return 0;
  }
}

Value ReadBit(ByteReader& reader) {
  const std::string_view bytes = reader.LengthEncodedBytes();
  if (bytes.size() > 8) reader.Fail();
  uint64_t bits = 0;
  for (const char c : bytes) bits = bits << 8 | static_cast<uint8_t>(c);
  return Value::Uint(bits);
}

}  // namespace

std::string SelectList(const model::Table& table) {
  std::string list;
  for (const model::Column& column : table.columns) {
    if (!list.empty()) list += ',';
    const std::string name = QuoteIdentifier(column.name);
    switch (column.type) {
      case SqlType::kEnum:
      case SqlType::kSet:
        // "|0" makes it a BIGINT: MariaDB gives a short CAST an INT.
        list += "CAST(" + name + " AS UNSIGNED)|0";
        break;
      case SqlType::kUuid:
      case SqlType::kInet6:
        list += "CAST(" + name + " AS BINARY(16))";
        break;
      case SqlType::kInet4:
        list += "CAST(" + name + " AS BINARY(4))";
        break;
      case SqlType::kUnsupported:
        list += "NULL";
        break;
      default:
        list += name;
    }
  }
  return list;
}

BinaryRowDecoder::BinaryRowDecoder(const model::Table& table) {
  for (const model::Column& column : table.columns) {
    columns_.push_back({.type = column.type,
                        .integer_bytes = IntegerBytes(column.type),
                        .is_unsigned = column.is_unsigned,
                        .precision = column.precision,
                        .scale = column.scale,
                        .length = column.length});
  }
}

// "Binary Protocol Resultset Row":
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html
Status BinaryRowDecoder::Decode(std::string_view packet, std::span<model::Value> row) {
  ByteReader reader(packet);
  const std::string_view nulls = reader.Bytes((columns_.size() + 9) / 8);
  if (row.size() < columns_.size() || !reader.ok()) {
    return Fail(ErrorCode::kBadData, "a row of {} bytes is too short for {} columns", packet.size(),
                columns_.size());
  }
  for (size_t i = 0; i < columns_.size(); ++i) {
    const size_t bit = i + 2;
    if ((static_cast<uint8_t>(nulls[bit / 8]) >> (bit % 8) & 1) != 0) {
      row[i] = Value::Null();
    } else if (columns_[i].integer_bytes != 0) {
      ReadInteger(columns_[i], reader, row[i]);
    } else {
      // Made in place: to copy what was just written in smaller pieces stalls the processor.
      new (&row[i]) Value(ReadCell(columns_[i], reader));
    }
  }
  if (!reader.ok() || !reader.AtEnd()) {
    return Fail(ErrorCode::kBadData,
                "a row of {} bytes does not fit the table's {} columns: its definition may have "
                "changed",
                packet.size(), columns_.size());
  }
  return {};
}

// Only what an integer has is written: most of what a short row costs is such cells.
void BinaryRowDecoder::ReadInteger(const ColumnPlan& column, ByteReader& reader, Value& out) {
  const uint64_t value = reader.Little(column.integer_bytes);
  const auto unused = static_cast<int>(64 - 8 * column.integer_bytes);
  out.kind = column.is_unsigned ? model::ValueKind::kUint : model::ValueKind::kInt;
  out.u = value;
  if (!column.is_unsigned) out.i = static_cast<int64_t>(value << unused) >> unused;
}

Value BinaryRowDecoder::ReadCell(const ColumnPlan& column, ByteReader& reader) {
  switch (column.type) {
    case SqlType::kTinyInt:
    case SqlType::kSmallInt:
    case SqlType::kMediumInt:
    case SqlType::kInt:
    case SqlType::kBigInt:
      break;  // ReadInteger
    case SqlType::kEnum:
    case SqlType::kSet:
      return Value::Uint(reader.U64());
    case SqlType::kYear:
      return Value::Uint(reader.U16());
    case SqlType::kFloat:
      return Value::Float(reader.Raw<float>());
    case SqlType::kDouble:
      return Value::Double(reader.Raw<double>());
    case SqlType::kDecimal:
      return ReadDecimal(reader, column.precision, column.scale);
    case SqlType::kBit:
      return ReadBit(reader);
    case SqlType::kDate:
    case SqlType::kDateTime:
      return ReadCivil(reader);
    case SqlType::kTimestamp:
      return ReadInstant(reader);
    case SqlType::kTime:
      return ReadTime(reader);
    case SqlType::kChar:
    case SqlType::kVarChar:
    case SqlType::kText:
    case SqlType::kBinary:
    case SqlType::kVarBinary:
    case SqlType::kBlob:
    case SqlType::kJson:
    case SqlType::kGeometry:
    case SqlType::kVector:
    case SqlType::kUuid:
    case SqlType::kInet4:
    case SqlType::kInet6:
      return Value::Bytes(reader.LengthEncodedBytes());
    case SqlType::kUnsupported:
      break;  // selected as NULL
  }
  reader.Fail();
  return Value::Null();
}

}  // namespace penstock::mysql
