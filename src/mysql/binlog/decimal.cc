#include "mysql/binlog/decimal.h"

#include <algorithm>
#include <array>

namespace penstock::binlog {
namespace {

constexpr uint32_t kGroupDigits = 9;
constexpr std::array<uint8_t, kGroupDigits + 1> kGroupBytes = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
constexpr std::array<uint32_t, kGroupDigits + 1> kPowersOfTen = {
    1, 10, 100, 1000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};

// The groups of one number, in order, without the sign's inversion.
class GroupReader {
 public:
  explicit GroupReader(ByteReader& reader) : reader_(reader) {
    ByteReader ahead = reader;
    negative_ = (ahead.U8() & 0x80) == 0;
  }

  bool negative() const { return negative_; }

  uint32_t Next(uint32_t digits) {
    const uint32_t bytes = kGroupBytes[digits];
    if (bytes == 0) return 0;
    const uint32_t sign_bit = first_ ? 1U << (8 * bytes - 1) : 0;
    const uint32_t all_bits = bytes == 4 ? UINT32_MAX : (1U << (8 * bytes)) - 1;
    first_ = false;
    uint32_t group = static_cast<uint32_t>(reader_.Big(bytes)) ^ sign_bit;
    if (negative_) group ^= all_bits;
    if (group >= kPowersOfTen[digits]) [[unlikely]] {
      reader_.Fail();
      return 0;
    }
    return group;
  }

 private:
  ByteReader& reader_;
  bool negative_;
  bool first_ = true;
};

// Calls `take(group, digits)` for each group before the point, then for each after it. Only the
// first group before the point and the last one after it can be incomplete.
template <typename Take>
void ForIntegerGroups(GroupReader& groups, DecimalShape shape, Take take) {
  const uint32_t digits = shape.precision - shape.scale;
  const uint32_t incomplete = digits % kGroupDigits;
  if (incomplete > 0) take(groups.Next(incomplete), incomplete);
  for (uint32_t i = 0; i < digits / kGroupDigits; ++i)
    take(groups.Next(kGroupDigits), kGroupDigits);
}

template <typename Take>
void ForFractionGroups(GroupReader& groups, DecimalShape shape, Take take) {
  const uint32_t incomplete = shape.scale % kGroupDigits;
  for (uint32_t i = 0; i < shape.scale / kGroupDigits; ++i) {
    take(groups.Next(kGroupDigits), kGroupDigits);
  }
  if (incomplete > 0) take(groups.Next(incomplete), incomplete);
}

void AppendGroup(uint32_t group, uint32_t digits, std::string& text) {
  std::array<char, kGroupDigits> buffer;
  for (uint32_t i = digits; i-- > 0; group /= 10) buffer[i] = static_cast<char>('0' + group % 10);
  text.append(buffer.data(), digits);
}

}  // namespace

uint32_t DecimalBytes(DecimalShape shape) {
  const auto bytes = [](uint32_t digits) {
    return digits / kGroupDigits * kGroupBytes[kGroupDigits] + kGroupBytes[digits % kGroupDigits];
  };
  return bytes(shape.precision - shape.scale) + bytes(shape.scale);
}

int64_t ReadDecimal(ByteReader& reader, DecimalShape shape) {
  GroupReader groups(reader);
  int64_t unscaled = 0;
  const auto take = [&unscaled](uint32_t group, uint32_t digits) {
    unscaled = unscaled * kPowersOfTen[digits] + group;
  };
  ForIntegerGroups(groups, shape, take);
  ForFractionGroups(groups, shape, take);
  return groups.negative() ? -unscaled : unscaled;
}

void AppendDecimalText(ByteReader& reader, DecimalShape shape, std::string& text) {
  GroupReader groups(reader);
  if (groups.negative()) text += '-';
  const size_t start = text.size();
  const auto take = [&text](uint32_t group, uint32_t digits) { AppendGroup(group, digits, text); };
  ForIntegerGroups(groups, shape, take);
  const size_t first_digit = std::min(text.find_first_not_of('0', start), text.size());
  text.erase(start, first_digit - start);
  if (text.size() == start) text += '0';
  if (shape.scale == 0) return;
  text += '.';
  ForFractionGroups(groups, shape, take);
}

}  // namespace penstock::binlog
