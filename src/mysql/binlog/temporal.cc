#include "mysql/binlog/temporal.h"

#include <array>

namespace penstock::binlog {
namespace {

using model::CivilTime;
using model::Value;

constexpr int64_t kMicrosPerSecond = 1'000'000;
// Of a fraction stored in 0 to 3 bytes, that is of 0, 2, 4 or 6 digits.
constexpr std::array<uint32_t, 4> kMicrosPerUnit = {0, 10'000, 100, 1};

constexpr size_t FractionBytes(uint32_t digits) { return (digits + 1) / 2; }

uint32_t ReadFraction(ByteReader& reader, uint32_t digits) {
  const size_t bytes = FractionBytes(digits);
  const auto micros = static_cast<uint32_t>(reader.Big(bytes)) * kMicrosPerUnit[bytes];
  if (micros >= kMicrosPerSecond) reader.Fail();
  return micros;
}

Value CheckedCivil(ByteReader& reader, const CivilTime& civil) {
  if (civil.year > 9999 || civil.month > 12 || civil.day > 31 || civil.hour > 23 ||
      civil.minute > 59 || civil.second > 59) [[unlikely]] {
    reader.Fail();
  }
  return Value::Civil(civil);
}

Value CheckedTime(ByteReader& reader, bool negative, uint64_t hour, uint64_t minute,
                  uint64_t second, uint64_t micros) {
  constexpr uint64_t kHourMax = 838;
  if (hour > kHourMax || minute > 59 || second > 59 || micros >= kMicrosPerSecond) [[unlikely]] {
    reader.Fail();
    return Value::Time(0);
  }
  const uint64_t seconds = (hour * 60 + minute) * 60 + second;
  const auto total = static_cast<int64_t>(seconds * kMicrosPerSecond + micros);
  return Value::Time(negative ? -total : total);
}

// Second 0 of the epoch is no TIMESTAMP: it stands for '0000-00-00 00:00:00'.
Value TimestampValue(int64_t seconds, uint32_t micros) {
  if (seconds == 0 && micros == 0) return Value::Civil({});
  return Value::Instant(seconds * kMicrosPerSecond + micros);
}

// 17 bits of year * 13 + month, 5 of day, 5 of hour, 6 of minute, 6 of second.
CivilTime UnpackSeconds(uint64_t packed) {
  const uint64_t year_month = packed >> 22;
  CivilTime civil;
  civil.year = static_cast<uint16_t>(year_month / 13);
  civil.month = static_cast<uint8_t>(year_month % 13);
  civil.day = packed >> 17 & 31;
  civil.hour = packed >> 12 & 31;
  civil.minute = packed >> 6 & 63;
  civil.second = packed & 63;
  return civil;
}

// Microseconds in the smallest unit of a fraction of 1 to 6 digits.
constexpr uint64_t MicrosPerDigit(uint32_t digits) {
  uint64_t micros = 1;
  for (; digits < 6; ++digits) micros *= 10;
  return micros;
}

Value ReadOldDateTimeFraction(ByteReader& reader, uint32_t digits) {
  const uint64_t units_per_second = kMicrosPerSecond / MicrosPerDigit(digits);
  uint64_t rest = reader.Big(OldDateTimeBytes(digits));
  const auto take = [&rest](uint64_t base) {
    const uint64_t part = rest % base;
    rest /= base;
    return part;
  };
  CivilTime civil;
  civil.microsecond = static_cast<uint32_t>(take(units_per_second) * MicrosPerDigit(digits));
  civil.second = static_cast<uint8_t>(take(60));
  civil.minute = static_cast<uint8_t>(take(60));
  civil.hour = static_cast<uint8_t>(take(24));
  civil.day = static_cast<uint8_t>(take(32));
  civil.month = static_cast<uint8_t>(take(13));
  if (rest > 9999) reader.Fail();
  civil.year = static_cast<uint16_t>(rest);
  return CheckedCivil(reader, civil);
}

Value ReadOldTimeFraction(ByteReader& reader, uint32_t digits) {
  constexpr int64_t kZeroSeconds = 839 * 3600;
  const auto micros_per_unit = static_cast<int64_t>(MicrosPerDigit(digits));
  const auto stored = static_cast<int64_t>(reader.Big(OldTimeBytes(digits)));
  const int64_t units = stored - kZeroSeconds * (kMicrosPerSecond / micros_per_unit);
  const auto micros =
      static_cast<uint64_t>(units < 0 ? -units : units) * static_cast<uint64_t>(micros_per_unit);
  const uint64_t seconds = micros / kMicrosPerSecond;
  return CheckedTime(reader, units < 0, seconds / 3600, seconds / 60 % 60, seconds % 60,
                     micros % kMicrosPerSecond);
}

}  // namespace

Value ReadDate(ByteReader& reader) {
  const uint32_t packed = reader.U24();
  CivilTime civil;
  civil.year = static_cast<uint16_t>(packed >> 9);
  civil.month = packed >> 5 & 15;
  civil.day = packed & 31;
  return CheckedCivil(reader, civil);
}

Value ReadYear(ByteReader& reader) {
  const uint8_t year = reader.U8();
  return Value::Uint(year == 0 ? 0 : 1900U + year);
}

Value ReadDateTime2(ByteReader& reader, uint32_t digits) {
  constexpr uint64_t kSign = uint64_t{1} << 39;
  const uint64_t packed = reader.Big(5);
  CivilTime civil = UnpackSeconds(packed & ~kSign);
  civil.microsecond = ReadFraction(reader, digits);
  if ((packed & kSign) == 0) reader.Fail();
  return CheckedCivil(reader, civil);
}

// MariaDB uses all 32 bits, to the year 2106.
Value ReadTimestamp2(ByteReader& reader, uint32_t digits) {
  const auto seconds = static_cast<int64_t>(reader.Big(4));
  return TimestampValue(seconds, ReadFraction(reader, digits));
}

// Seconds and fraction are one big-endian number with an offset of half its range; its magnitude
// holds 10 bits of hour, 6 of minute, 6 of second, then the fraction.
Value ReadTime2(ByteReader& reader, uint32_t digits) {
  const size_t fraction_bytes = FractionBytes(digits);
  const size_t fraction_bits = 8 * fraction_bytes;
  const auto stored = static_cast<int64_t>(reader.Big(3 + fraction_bytes));
  const int64_t offset = int64_t{1} << (23 + fraction_bits);
  const bool negative = stored < offset;
  const auto magnitude = static_cast<uint64_t>(negative ? offset - stored : stored - offset);
  const uint64_t packed = magnitude >> fraction_bits;
  const uint64_t fraction = magnitude & ((uint64_t{1} << fraction_bits) - 1);
  return CheckedTime(reader, negative, packed >> 12 & 0x3ff, packed >> 6 & 63, packed & 63,
                     fraction * kMicrosPerUnit[fraction_bytes]);
}

// The decimal number YYYYMMDDhhmmss. With a fraction: a big-endian count of the smallest unit, in
// which months have 32 days and years 13 months.
Value ReadOldDateTime(ByteReader& reader, uint32_t digits) {
  if (digits != 0) return ReadOldDateTimeFraction(reader, digits);
  uint64_t rest = reader.U64();
  const auto take = [&rest] {
    const auto part = static_cast<uint8_t>(rest % 100);
    rest /= 100;
    return part;
  };
  CivilTime civil;
  civil.second = take();
  civil.minute = take();
  civil.hour = take();
  civil.day = take();
  civil.month = take();
  if (rest > 9999) reader.Fail();
  civil.year = static_cast<uint16_t>(rest);
  return CheckedCivil(reader, civil);
}

// With a fraction: big-endian, and the fraction in its smallest unit.
Value ReadOldTimestamp(ByteReader& reader, uint32_t digits) {
  if (digits == 0) return TimestampValue(reader.U32(), 0);
  const auto seconds = static_cast<int64_t>(reader.Big(4));
  const uint64_t micros = reader.Big(FractionBytes(digits)) * MicrosPerDigit(digits);
  if (micros >= kMicrosPerSecond) reader.Fail();
  return TimestampValue(seconds, static_cast<uint32_t>(micros));
}

// The decimal number hhmmss, signed, in three bytes. With a fraction: a big-endian count of
// the smallest unit since -839:00:00.
Value ReadOldTime(ByteReader& reader, uint32_t digits) {
  if (digits != 0) return ReadOldTimeFraction(reader, digits);
  constexpr uint32_t kSign = 1U << 23;
  const uint32_t stored = reader.U24();
  const bool negative = (stored & kSign) != 0;
  const uint32_t number = negative ? 2 * kSign - stored : stored;
  return CheckedTime(reader, negative, number / 10'000, number / 100 % 100, number % 100, 0);
}

uint32_t OldDateTimeBytes(uint32_t digits) {
  constexpr std::array<uint8_t, 7> kBytes = {8, 6, 6, 7, 7, 7, 8};
  return kBytes[digits];
}

uint32_t OldTimestampBytes(uint32_t digits) {
  return 4 + static_cast<uint32_t>(FractionBytes(digits));
}

uint32_t OldTimeBytes(uint32_t digits) {
  constexpr std::array<uint8_t, 7> kBytes = {3, 4, 4, 5, 5, 5, 6};
  return kBytes[digits];
}

CivilTime UnpackDateTime(uint64_t packed) {
  constexpr uint64_t kFractionBits = 24;
  CivilTime civil = UnpackSeconds(packed >> kFractionBits);
  civil.microsecond = packed & ((1U << kFractionBits) - 1);
  return civil;
}

}  // namespace penstock::binlog
