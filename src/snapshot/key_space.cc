#include "snapshot/key_space.h"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "mysql/wire/table_read.h"

namespace penstock::snapshot {
namespace {

using model::CivilTime;
using model::SqlType;
using model::Value;
using model::ValueKind;

constexpr uint64_t kSign = uint64_t{1} << 63;
constexpr int64_t kDayMicros = int64_t{86'400} * 1'000'000;

// The first bytes of what follows the prefix: eight as they are, or twelve as digits and letters,
// which nearly every collation orders alike. 36^12 is less than 2^63.
constexpr size_t kBytes = 8;
constexpr size_t kSymbols = 12;
constexpr uint64_t kAlphabet = 36;

uint64_t FromSigned(int64_t value) { return static_cast<uint64_t>(value) ^ kSign; }
int64_t ToSigned(uint64_t place) { return static_cast<int64_t>(place ^ kSign); }

bool IsText(SqlType type) {
  return type == SqlType::kChar || type == SqlType::kVarChar || type == SqlType::kText;
}

bool IsBasedOnAscii(std::string_view charset) {
  return charset != "ucs2" && !charset.starts_with("utf16") && charset != "utf32";
}

// Days since 1970; a month or day that is zero counts as the first.
int64_t DaysOf(const CivilTime& civil) {
  using namespace std::chrono;
  const year_month_day date{year(civil.year), month(std::max<unsigned>(civil.month, 1)),
                            day(std::max<unsigned>(civil.day, 1))};
  return sys_days(date).time_since_epoch().count();
}

int64_t MicrosOf(const CivilTime& civil) {
  const int64_t seconds = (civil.hour * 60 + civil.minute) * 60 + civil.second;
  return DaysOf(civil) * kDayMicros + seconds * 1'000'000 + civil.microsecond;
}

CivilTime CivilAt(int64_t micros) {
  using namespace std::chrono;
  const int64_t days = micros / kDayMicros - (micros % kDayMicros < 0 ? 1 : 0);
  const int64_t of_day = micros - days * kDayMicros;
  const int64_t seconds = of_day / 1'000'000;
  const year_month_day date{sys_days(std::chrono::days(days))};
  return {.year = static_cast<uint16_t>(std::clamp(static_cast<int>(date.year()), 0, 9999)),
          .month = static_cast<uint8_t>(static_cast<unsigned>(date.month())),
          .day = static_cast<uint8_t>(static_cast<unsigned>(date.day())),
          .hour = static_cast<uint8_t>(seconds / 3600),
          .minute = static_cast<uint8_t>(seconds / 60 % 60),
          .second = static_cast<uint8_t>(seconds % 60),
          .microsecond = static_cast<uint32_t>(of_day % 1'000'000)};
}

uint64_t SymbolOf(char c) {
  if (c >= '0' && c <= '9') return static_cast<uint64_t>(c - '0');
  if (c >= 'a' && c <= 'z') return static_cast<uint64_t>(c - 'a') + 10;
  if (c >= 'A' && c <= 'Z') return static_cast<uint64_t>(c - 'A') + 10;
  if (static_cast<uint8_t>(c) < '0') return 0;
  return static_cast<uint8_t>(c) < 'A' ? 10 : kAlphabet - 1;
}

// What both begin with, up to the first byte that may be part of a longer character.
std::string_view CommonPrefix(std::string_view a, std::string_view b, bool is_text) {
  size_t size = 0;
  while (size < std::min(a.size(), b.size()) && a[size] == b[size] &&
         !(is_text && static_cast<uint8_t>(a[size]) >= 0x80)) {
    ++size;
  }
  return a.substr(0, size);
}

bool HasUpperCase(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace

std::optional<KeySpace::Kind> KeySpace::KindOf(const model::Column& column, const Value& value) {
  switch (value.kind) {
    case ValueKind::kInt:
      return Kind::kInt;
    case ValueKind::kUint:
      return Kind::kUint;
    case ValueKind::kDecimal:
      return Kind::kDecimal;
    case ValueKind::kCivil:
      if (column.type == SqlType::kTimestamp) return Kind::kInstant;  // the zero one
      return column.type == SqlType::kDate ? Kind::kDay : Kind::kCivil;
    case ValueKind::kInstant:
      return Kind::kInstant;
    case ValueKind::kTime:
      return Kind::kTime;
    case ValueKind::kBytes:
      // The index of a UUID column has one of several orders.
      if (column.type == SqlType::kUuid) return std::nullopt;
      if (!IsText(column.type)) return Kind::kBytes;
      return IsBasedOnAscii(column.charset) ? std::optional(Kind::kText) : std::nullopt;
    default:
      return std::nullopt;
  }
}

std::optional<KeySpace> KeySpace::Between(const model::Column& column, const Value& lowest,
                                          const Value& highest) {
  const std::optional<Kind> kind = KindOf(column, highest);
  if (!kind || column.type == SqlType::kEnum || column.type == SqlType::kSet) return std::nullopt;
  KeySpace space(column, *kind);
  if (*kind == Kind::kBytes || *kind == Kind::kText) {
    const bool is_text = *kind == Kind::kText;
    space.prefix_ = CommonPrefix(lowest.bytes, highest.bytes, is_text);
    space.upper_case_ = HasUpperCase(lowest.bytes) || HasUpperCase(highest.bytes);
    if (column.type == SqlType::kInet4) space.size_ = 4;
    if (column.type == SqlType::kInet6) space.size_ = 16;
  }
  return space;
}

uint64_t KeySpace::PlaceOf(const Value& value) const {
  switch (kind_) {
    case Kind::kUint:
      return value.u;
    case Kind::kDay:
      return FromSigned(DaysOf(value.civil));
    case Kind::kCivil:
      return FromSigned(MicrosOf(value.civil));
    case Kind::kInstant:
      return value.kind == ValueKind::kInstant ? FromSigned(value.i) : kSign;
    case Kind::kInt:
    case Kind::kDecimal:
    case Kind::kTime:
      return FromSigned(value.i);
    case Kind::kBytes:
    case Kind::kText:
      return PlaceOfBytes(value.bytes);
  }
  return 0;
}

uint64_t KeySpace::PlaceOfBytes(std::string_view bytes) const {
  const std::string_view rest = bytes.substr(std::min(prefix_.size(), bytes.size()));
  const bool is_text = kind_ == Kind::kText;
  uint64_t place = 0;
  for (size_t i = 0; i < (is_text ? kSymbols : kBytes); ++i) {
    const char c = i < rest.size() ? rest[i] : '\0';
    place = is_text ? place * kAlphabet + SymbolOf(c) : place << 8 | static_cast<uint8_t>(c);
  }
  return place;
}

std::string KeySpace::LiteralAt(uint64_t place) const {
  switch (kind_) {
    case Kind::kInt:
      return mysql::KeyLiteral(column_, Value::Int(ToSigned(place)));
    case Kind::kUint:
      return mysql::KeyLiteral(column_, Value::Uint(place));
    case Kind::kDecimal:
      return mysql::KeyLiteral(column_, Value::Decimal(ToSigned(place)));
    case Kind::kDay:
      return mysql::KeyLiteral(column_, Value::Civil(CivilAt(ToSigned(place) * kDayMicros)));
    case Kind::kCivil:
      return mysql::KeyLiteral(column_, Value::Civil(CivilAt(ToSigned(place))));
    case Kind::kInstant:
      return mysql::KeyLiteral(column_, Value::Instant(ToSigned(place)));
    case Kind::kTime:
      return mysql::KeyLiteral(column_, Value::Time(ToSigned(place)));
    case Kind::kBytes:
    case Kind::kText:
      break;
  }
  const std::string bytes = BytesAt(place);
  return mysql::KeyLiteral(column_, Value::Bytes(bytes));
}

std::string KeySpace::BytesAt(uint64_t place) const {
  std::string rest(kind_ == Kind::kText ? kSymbols : kBytes, '\0');
  for (size_t i = rest.size(); i-- > 0;) {
    if (kind_ == Kind::kText) {
      constexpr std::string_view kLower = "0123456789abcdefghijklmnopqrstuvwxyz";
      constexpr std::string_view kUpper = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
      rest[i] = (upper_case_ ? kUpper : kLower)[place % kAlphabet];
      place /= kAlphabet;
    } else {
      rest[i] = static_cast<char>(place & 0xff);
      place >>= 8;
    }
  }
  std::string bytes = prefix_ + rest;
  if (size_ != 0) bytes.resize(size_, '\0');
  return bytes;
}

}  // namespace penstock::snapshot
