#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clickhouse/block.h"
#include "model/value.h"
#include "typemap/charset.h"
#include "typemap/decimal_text.h"
#include "typemap/geometry.h"

// One codec per ClickHouse representation: how a value that is not NULL becomes Native bytes. Used
// by column_writer.cc alone, which adds what is common to all: NULL, keys and counting.
//
// Each has Write, which appends the bytes when it returns kExact, kClamped or kReplaced and nothing
// otherwise, and kDefaultBytes: the type's default is that many zero bytes. A codec of arrays has
// kElementBytes too; its column's `ends` are kept by its writer.
namespace penstock::typemap {

enum class Fit : uint8_t {
  kExact,
  kClamped,   // the nearest value that the type holds
  kReplaced,  // text with a '?' for bytes that are no character
  kNone,      // the type holds nothing like it
  kWrong,     // not a value of this column: its kind, range or form
};

template <typename T>
struct IntCodec {
  static constexpr size_t kDefaultBytes = sizeof(T);
  static constexpr model::ValueKind kPlainInteger =
      std::is_signed_v<T> ? model::ValueKind::kInt : model::ValueKind::kUint;

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    using Limits = std::numeric_limits<T>;
    if constexpr (Limits::is_signed) {
      if (value.kind != model::ValueKind::kInt) return Fit::kWrong;
      if (value.i < Limits::min() || value.i > Limits::max()) return Fit::kWrong;
      out.Append(static_cast<T>(value.i));
    } else {
      if (value.kind != model::ValueKind::kUint || value.u > Limits::max()) return Fit::kWrong;
      out.Append(static_cast<T>(value.u));
    }
    return Fit::kExact;
  }
};

// TINYINT(1) may hold more than a Bool does.
struct BoolCodec {
  static constexpr size_t kDefaultBytes = 1;

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    const bool integer =
        value.kind == model::ValueKind::kInt || value.kind == model::ValueKind::kUint;
    if (!integer) return Fit::kWrong;
    out.Append(static_cast<uint8_t>(value.u != 0 ? 1 : 0));
    return value.u <= 1 ? Fit::kExact : Fit::kClamped;
  }
};

template <typename T, model::ValueKind kKind>
struct FloatCodec {
  static constexpr size_t kDefaultBytes = sizeof(T);

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    if (value.kind != kKind) return Fit::kWrong;
    out.Append(static_cast<T>(value.d));
    return Fit::kExact;
  }
};

// DECIMAL of at most 18 digits.
template <typename T>
struct DecimalCodec {
  static constexpr size_t kDefaultBytes = sizeof(T);
  int64_t largest;  // 10^precision - 1

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    if (value.kind != model::ValueKind::kDecimal) return Fit::kWrong;
    if (value.i > largest || value.i < -largest) return Fit::kWrong;
    out.Append(static_cast<T>(value.i));
    return Fit::kExact;
  }
};

// DECIMAL of 19 to 65 digits, in 2 or 4 limbs of 64 bits.
template <size_t kLimbs>
struct WideDecimalCodec {
  static constexpr size_t kDefaultBytes = kLimbs * 8;
  uint32_t precision;
  uint32_t scale;

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    if (value.kind != model::ValueKind::kDecimalText) return Fit::kWrong;
    const std::optional<Int256> parsed = ParseDecimalText(value.bytes, precision, scale);
    if (!parsed) return Fit::kWrong;
    std::array<uint64_t, kLimbs> limbs;
    std::memcpy(limbs.data(), parsed->data(), sizeof(limbs));
    out.Append(limbs);
    return Fit::kExact;
  }
};

struct BytesCodec {
  static constexpr size_t kDefaultBytes = 1;  // the length of ""

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    if (value.kind != model::ValueKind::kBytes) return Fit::kWrong;
    out.AppendVarint(value.bytes.size());
    out.Append(value.bytes);
    return Fit::kExact;
  }
};

// Text in a character set that is converted. What another text may become as well does not fit a
// key.
struct TextCodec {
  static constexpr size_t kDefaultBytes = 1;  // the length of ""
  const CharsetConverter* converter;
  bool in_key;

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    if (value.kind != model::ValueKind::kBytes) return Fit::kWrong;
    if (in_key && converter->IsAmbiguous(value.bytes)) return Fit::kNone;
    const clickhouse::Buffer::OpenString string = out.BeginString(value.bytes.size());
    const size_t replaced = converter->Append(value.bytes, out);
    out.EndString(string);
    return replaced == 0 ? Fit::kExact : Fit::kReplaced;
  }
};

// WKT. The stored bytes as they are would be BytesCodec's.
struct GeometryCodec {
  static constexpr size_t kDefaultBytes = 1;
  mutable std::string text;  // kept for its memory

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    if (value.kind != model::ValueKind::kBytes) return Fit::kWrong;
    text.clear();
    if (!AppendWkt(value.bytes, text)) return Fit::kWrong;
    out.AppendVarint(text.size());
    out.Append(std::string_view(text));
    return Fit::kExact;
  }
};

// Floats, little-endian in the source as in Native. NULL is the empty array, and so is the nothing
// that MySQL without strict mode stores in a NOT NULL column that was not given.
struct VectorCodec {
  static constexpr size_t kDefaultBytes = 0;
  static constexpr size_t kElementBytes = sizeof(float);
  uint64_t dimensions;  // at most: MySQL's VECTOR(n) holds shorter ones too

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    const size_t bytes = value.bytes.size();
    if (value.kind != model::ValueKind::kBytes || bytes % kElementBytes != 0 ||
        bytes / kElementBytes > dimensions) {
      return Fit::kWrong;
    }
    out.Append(value.bytes);
    return Fit::kExact;
  }
};

// 16 bytes in the order of the text. Native: each half as a little-endian UInt64.
struct UuidCodec {
  static constexpr size_t kDefaultBytes = 16;

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    if (value.kind != model::ValueKind::kBytes || value.bytes.size() != kDefaultBytes) {
      return Fit::kWrong;
    }
    std::array<char, kDefaultBytes> native;
    std::reverse_copy(value.bytes.begin(), value.bytes.begin() + 8, native.begin());
    std::reverse_copy(value.bytes.begin() + 8, value.bytes.end(), native.begin() + 8);
    out.Append(native);
    return Fit::kExact;
  }
};

struct Inet6Codec {
  static constexpr size_t kDefaultBytes = 16;

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    if (value.kind != model::ValueKind::kBytes || value.bytes.size() != kDefaultBytes) {
      return Fit::kWrong;
    }
    out.Append(value.bytes);
    return Fit::kExact;
  }
};

// Native: a little-endian UInt32.
struct Inet4Codec {
  static constexpr size_t kDefaultBytes = 4;

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    if (value.kind != model::ValueKind::kBytes || value.bytes.size() != kDefaultBytes) {
      return Fit::kWrong;
    }
    std::array<char, kDefaultBytes> native;
    std::reverse_copy(value.bytes.begin(), value.bytes.end(), native.begin());
    out.Append(native);
    return Fit::kExact;
  }
};

// Index 0, the error value, prints as ''. In a key that is refused where '' is a label too.
struct EnumCodec {
  static constexpr size_t kDefaultBytes = 1;
  std::vector<std::string> encoded;  // by index: length and bytes; [0] is ''
  bool zero_is_ambiguous;

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    if (value.kind != model::ValueKind::kUint || value.u >= encoded.size()) return Fit::kWrong;
    if (value.u == 0 && zero_is_ambiguous) return Fit::kNone;
    out.Append(std::string_view(encoded[static_cast<size_t>(value.u)]));
    return Fit::kExact;
  }
};

// Members joined by commas. The member '' alone prints as the empty set does: refused in a key.
struct SetCodec {
  static constexpr size_t kDefaultBytes = 1;
  std::vector<std::string> labels;
  uint64_t ambiguous;  // the mask that prints like the empty set; 0: none matters

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    if (value.kind != model::ValueKind::kUint) return Fit::kWrong;
    if (labels.size() < 64 && value.u >> labels.size() != 0) return Fit::kWrong;
    if (value.u != 0 && value.u == ambiguous) return Fit::kNone;
    size_t bytes = 0;
    for (uint64_t rest = value.u; rest != 0; rest &= rest - 1) bytes += Label(rest).size() + 1;
    out.AppendVarint(bytes == 0 ? 0 : bytes - 1);
    for (uint64_t rest = value.u; rest != 0; rest &= rest - 1) {
      out.Append(Label(rest));
      if ((rest & (rest - 1)) != 0) out.Append(',');
    }
    return Fit::kExact;
  }

 private:
  std::string_view Label(uint64_t mask) const {
    return labels[static_cast<size_t>(std::countr_zero(mask))];
  }
};

inline constexpr int kYearMin = 1900;  // of Date32 and DateTime64
inline constexpr int kYearMax = 2299;
inline constexpr int64_t kDayMicros = 86'400'000'000;

// Days since 1970-01-01, proleptic Gregorian.
constexpr int32_t DaysFromCivil(int year, unsigned month, unsigned day) {
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(year), std::chrono::month(month),
                            std::chrono::day(day)};
  return static_cast<int32_t>(sys_days(date).time_since_epoch().count());
}

inline constexpr int32_t kDayMin = DaysFromCivil(kYearMin, 1, 1);
inline constexpr int32_t kDayMax = DaysFromCivil(kYearMax, 12, 31);

// kNone for a zero, partial or impossible date (ALLOW_INVALID_DATES keeps February 31).
inline Fit DayOf(const model::CivilTime& civil, int32_t& days) {
  using namespace std::chrono;
  const year_month_day date{year(civil.year), month(civil.month), day(civil.day)};
  if (!date.ok()) return Fit::kNone;
  days = kDayMin;
  if (civil.year < kYearMin) return Fit::kClamped;
  days = kDayMax;
  if (civil.year > kYearMax) return Fit::kClamped;
  days = static_cast<int32_t>(sys_days(date).time_since_epoch().count());
  return Fit::kExact;
}

struct DateCodec {
  static constexpr size_t kDefaultBytes = 4;

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    if (value.kind != model::ValueKind::kCivil) return Fit::kWrong;
    int32_t days = 0;
    const Fit fit = DayOf(value.civil, days);
    if (fit != Fit::kNone) out.Append(days);
    return fit;
  }
};

// Microseconds to ticks of 10^-scale seconds. Fraction digits beyond the scale are kWrong: a source
// column of that scale cannot have sent them.
struct Ticks {
  int64_t micros;  // in one tick

  Fit Write(int64_t value_micros, Fit fit, clickhouse::Buffer& out) const {
    if (value_micros % micros != 0) return Fit::kWrong;
    out.Append(value_micros / micros);
    return fit;
  }
  Fit WriteClamped(int64_t value_micros, clickhouse::Buffer& out) const {
    constexpr int64_t kMin = kDayMin * kDayMicros;
    const int64_t last = (kDayMax + 1) * kDayMicros - micros;
    if (value_micros < kMin) return Write(kMin, Fit::kClamped, out);
    if (value_micros > last) return Write(last, Fit::kClamped, out);
    return Write(value_micros, Fit::kExact, out);
  }
};

struct DateTimeCodec {
  static constexpr size_t kDefaultBytes = 8;
  Ticks ticks;

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    if (value.kind != model::ValueKind::kCivil) return Fit::kWrong;
    const model::CivilTime& civil = value.civil;
    if (civil.hour > 23 || civil.minute > 59 || civil.second > 59 || civil.microsecond > 999'999) {
      return Fit::kWrong;
    }
    int32_t days = 0;
    const Fit fit = DayOf(civil, days);
    if (fit == Fit::kNone) return fit;
    if (fit == Fit::kClamped) {
      const int64_t beyond = civil.year < kYearMin ? kDayMin - 1 : kDayMax + 1;
      return ticks.WriteClamped(beyond * kDayMicros, out);
    }
    const int64_t seconds = civil.hour * 3600 + civil.minute * 60 + civil.second;
    return ticks.Write(days * kDayMicros + seconds * 1'000'000 + civil.microsecond, fit, out);
  }
};

struct TimestampCodec {
  static constexpr size_t kDefaultBytes = 8;
  Ticks ticks;

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    if (value.kind == model::ValueKind::kInstant) return ticks.WriteClamped(value.i, out);
    const bool zero = value.kind == model::ValueKind::kCivil && value.civil == model::CivilTime{};
    return zero ? Fit::kNone : Fit::kWrong;
  }
};

// Time64 goes to ±999:59:59.999999, MySQL's TIME to ±838:59:59.
struct TimeCodec {
  static constexpr size_t kDefaultBytes = 8;
  static constexpr int64_t kMicrosMax = 3'600'000'000'000 - 1;
  Ticks ticks;

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    if (value.kind != model::ValueKind::kTime) return Fit::kWrong;
    if (value.i > kMicrosMax || value.i < -kMicrosMax) return Fit::kWrong;
    return ticks.Write(value.i, Fit::kExact, out);
  }
};

}  // namespace penstock::typemap
