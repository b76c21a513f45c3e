#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>

#include "model/table.h"
#include "typemap/codecs.h"

// Codecs of types that a mapping chooses (chosen_type.h), in the form of those in codecs.h.
namespace penstock::typemap {

// A number that the type holds, whatever the sign of the source's type.
template <typename T>
struct WidenedIntCodec {
  static constexpr size_t kDefaultBytes = sizeof(T);

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    using Limits = std::numeric_limits<T>;
    if (value.kind == model::ValueKind::kUint) {
      if (value.u > static_cast<uint64_t>(Limits::max())) return Fit::kWrong;
      out.Append(static_cast<T>(value.u));
      return Fit::kExact;
    }
    if constexpr (Limits::is_signed) {
      if (value.kind != model::ValueKind::kInt) return Fit::kWrong;
      if (value.i < Limits::min() || value.i > Limits::max()) return Fit::kWrong;
      out.Append(static_cast<T>(value.i));
      return Fit::kExact;
    }
    return Fit::kWrong;
  }
};

struct WidenedFloatCodec {
  static constexpr size_t kDefaultBytes = sizeof(double);

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    const bool floating =
        value.kind == model::ValueKind::kFloat || value.kind == model::ValueKind::kDouble;
    if (!floating) return Fit::kWrong;
    out.Append(value.d);
    return Fit::kExact;
  }
};

// The bytes of a BINARY of the same length.
struct FixedBytesCodec {
  uint32_t length;
  size_t default_bytes() const { return length; }

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    if (value.kind != model::ValueKind::kBytes || value.bytes.size() != length) return Fit::kWrong;
    out.Append(value.bytes);
    return Fit::kExact;
  }
};

// Days from 1970-01-01 in 16 bits.
struct ShortDateCodec {
  static constexpr size_t kDefaultBytes = 2;

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    if (value.kind != model::ValueKind::kCivil) return Fit::kWrong;
    int32_t days = 0;
    const Fit fit = DayOf(value.civil, days);
    if (fit == Fit::kNone) return fit;
    const int32_t held = std::clamp(days, 0, int32_t{UINT16_MAX});
    out.Append(static_cast<uint16_t>(held));
    return held == days ? fit : Fit::kClamped;
  }
};

// Microseconds since the epoch, wherever they come from; `last`: the ticks a type ends with.
inline Fit MomentOf(const model::Value& value, int64_t& micros) {
  if (value.kind == model::ValueKind::kInstant) {
    micros = value.i;
    return Fit::kExact;
  }
  if (value.kind != model::ValueKind::kCivil) return Fit::kWrong;
  int32_t days = 0;
  const Fit fit = DayOf(value.civil, days);
  const int64_t seconds =
      value.civil.hour * 3600 + value.civil.minute * 60 + int64_t{value.civil.second};
  micros = days * kDayMicros + seconds * 1'000'000 + value.civil.microsecond;
  return fit;
}

// Seconds from 1970 to 2106 in 32 bits.
struct ShortDateTimeCodec {
  static constexpr size_t kDefaultBytes = 4;

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    int64_t micros = 0;
    const Fit fit = MomentOf(value, micros);
    if (fit == Fit::kWrong || fit == Fit::kNone) return fit;
    if (micros % 1'000'000 != 0) return Fit::kWrong;
    const int64_t held = std::clamp(micros / 1'000'000, int64_t{0}, int64_t{UINT32_MAX});
    out.Append(static_cast<uint32_t>(held));
    return held * 1'000'000 == micros ? fit : Fit::kClamped;
  }
};

// DECIMAL in a wider type: the digits get zeros at their end. `limbs` of 64 bits, or a half one.
struct WidenedDecimalCodec {
  uint32_t scale;  // of the source
  uint32_t precision;
  uint32_t target_scale;
  size_t bytes;
  size_t default_bytes() const { return bytes; }

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    fmt::basic_memory_buffer<char, 128> text;
    if (value.kind == model::ValueKind::kDecimal) {
      AppendDecimal(value.i, scale, text);
    } else if (value.kind == model::ValueKind::kDecimalText) {
      text.append(value.bytes);
    } else {
      return Fit::kWrong;
    }
    if (scale == 0 && target_scale != 0) text.push_back('.');
    for (uint32_t i = scale; i < target_scale; ++i) text.push_back('0');
    const auto parsed = ParseDecimalText({text.data(), text.size()}, precision, target_scale);
    if (!parsed) return Fit::kWrong;
    out.Append(std::string_view(reinterpret_cast<const char*>(parsed->data()), bytes));
    return Fit::kExact;
  }

  // "-12.30"
  template <typename Text>
  static void AppendDecimal(int64_t unscaled, uint32_t scale, Text& text) {
    const uint64_t digits =
        unscaled < 0 ? 0 - static_cast<uint64_t>(unscaled) : static_cast<uint64_t>(unscaled);
    uint64_t unit = 1;
    for (uint32_t i = 0; i < scale; ++i) unit *= 10;
    auto to = std::back_inserter(text);
    fmt::format_to(to, "{}{}", unscaled < 0 ? "-" : "", digits / unit);
    if (scale != 0) fmt::format_to(to, ".{:0{}}", digits % unit, scale);
  }
};

// The value as the source prints it: numbers without ZEROFILL's zeros, TIMESTAMP in UTC.
struct PrintedCodec {
  static constexpr size_t kDefaultBytes = 1;
  model::SqlType type;
  uint32_t scale;

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    fmt::basic_memory_buffer<char, 128> text;
    if (!Print(value, text)) return Fit::kWrong;
    out.AppendVarint(text.size());
    out.Append(std::string_view(text.data(), text.size()));
    return Fit::kExact;
  }

 private:
  using Text = fmt::basic_memory_buffer<char, 128>;

  bool Print(const model::Value& value, Text& text) const {
    auto to = std::back_inserter(text);
    switch (value.kind) {
      case model::ValueKind::kInt:
        fmt::format_to(to, "{}", value.i);
        return true;
      case model::ValueKind::kUint:
        fmt::format_to(to, "{:0{}}", value.u, type == model::SqlType::kYear ? 4 : 1);
        return true;
      case model::ValueKind::kDecimal:
        WidenedDecimalCodec::AppendDecimal(value.i, scale, text);
        return true;
      case model::ValueKind::kDecimalText:
        text.append(value.bytes);
        return true;
      case model::ValueKind::kCivil:
        PrintCivil(value.civil, text);
        return true;
      case model::ValueKind::kInstant:
        PrintCivil(CivilOf(value.i), text);
        return true;
      case model::ValueKind::kTime:
        PrintTime(value.i, text);
        return true;
      default:
        return false;
    }
  }

  static model::CivilTime CivilOf(int64_t micros) {
    using namespace std::chrono;
    const sys_time<microseconds> moment{microseconds(micros)};
    const auto day = floor<days>(moment);
    const year_month_day date(day);
    const hh_mm_ss clock(moment - day);
    return {.year = static_cast<uint16_t>(int{date.year()}),
            .month = static_cast<uint8_t>(unsigned{date.month()}),
            .day = static_cast<uint8_t>(unsigned{date.day()}),
            .hour = static_cast<uint8_t>(clock.hours().count()),
            .minute = static_cast<uint8_t>(clock.minutes().count()),
            .second = static_cast<uint8_t>(clock.seconds().count()),
            .microsecond = static_cast<uint32_t>(clock.subseconds().count())};
  }

  void PrintCivil(const model::CivilTime& civil, Text& text) const {
    auto to = std::back_inserter(text);
    fmt::format_to(to, "{:04}-{:02}-{:02}", civil.year, civil.month, civil.day);
    if (type == model::SqlType::kDate) return;
    fmt::format_to(to, " {:02}:{:02}:{:02}", civil.hour, civil.minute, civil.second);
    PrintFraction(civil.microsecond, text);
  }

  void PrintTime(int64_t micros, Text& text) const {
    const auto magnitude = static_cast<uint64_t>(micros < 0 ? -micros : micros);
    const uint64_t seconds = magnitude / 1'000'000;
    fmt::format_to(std::back_inserter(text), "{}{:02}:{:02}:{:02}", micros < 0 ? "-" : "",
                   seconds / 3600, seconds / 60 % 60, seconds % 60);
    PrintFraction(static_cast<uint32_t>(magnitude % 1'000'000), text);
  }

  void PrintFraction(uint32_t micros, Text& text) const {
    if (scale == 0) return;
    for (uint32_t i = scale; i < 6; ++i) micros /= 10;
    fmt::format_to(std::back_inserter(text), ".{:0{}}", micros, scale);
  }
};

// The index of the label in 8 or 16 bits; 0 is the error value ''.
template <typename T>
struct EnumIndexCodec {
  static constexpr size_t kDefaultBytes = sizeof(T);
  size_t labels;

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    if (value.kind != model::ValueKind::kUint || value.u > labels) return Fit::kWrong;
    out.Append(static_cast<T>(value.u));
    return Fit::kExact;
  }
};

// ClickHouse's JSON holds objects; what is none is no value of it.
struct JsonObjectCodec {
  size_t default_bytes() const { return kEmpty.size(); }
  std::string_view default_value() const { return kEmpty; }

  Fit Write(const model::Value& value, clickhouse::Buffer& out) const {
    if (value.kind != model::ValueKind::kBytes) return Fit::kWrong;
    const size_t first = value.bytes.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos || value.bytes[first] != '{') return Fit::kNone;
    out.AppendVarint(value.bytes.size());
    out.Append(value.bytes);
    return Fit::kExact;
  }

 private:
  static constexpr std::string_view kEmpty = "\x02{}";
};

}  // namespace penstock::typemap
