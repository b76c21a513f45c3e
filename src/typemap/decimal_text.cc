#include "typemap/decimal_text.h"

namespace penstock::typemap {
namespace {

// Digits are gathered in 64 bits, as many as fit, before each multiplication of all limbs.
class Accumulator {
 public:
  void Add(uint64_t digit) {
    chunk_ = chunk_ * 10 + digit;
    factor_ *= 10;
    if (factor_ == kFactorMax) Fold();
  }
  Int256 Finish(bool negative) {
    Fold();
    if (!negative) return limbs_;
    bool carry = true;
    for (uint64_t& limb : limbs_) {
      limb = ~limb + (carry ? 1 : 0);
      carry = carry && limb == 0;
    }
    return limbs_;
  }

 private:
  static constexpr uint64_t kFactorMax = 10'000'000'000'000'000'000U;

  void Fold() {
    uint64_t carry = chunk_;
    for (uint64_t& limb : limbs_) {
      const unsigned __int128 product = static_cast<unsigned __int128>(limb) * factor_ + carry;
      limb = static_cast<uint64_t>(product);
      carry = static_cast<uint64_t>(product >> 64);
    }
    chunk_ = 0;
    factor_ = 1;
  }

  Int256 limbs_{};
  uint64_t chunk_ = 0;
  uint64_t factor_ = 1;
};

}  // namespace

std::optional<Int256> ParseDecimalText(std::string_view text, uint32_t precision, uint32_t scale) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const size_t tail = scale == 0 ? 0 : scale + 1;  // the point and the fraction
  if (text.size() <= tail) return std::nullopt;
  const size_t point = scale == 0 ? text.size() : text.size() - tail;

  Accumulator sum;
  uint32_t digits = 0;  // significant ones
  for (size_t i = 0; i < text.size(); ++i) {
    if (i == point) {
      if (text[i] != '.') return std::nullopt;
      continue;
    }
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    const auto digit = static_cast<uint64_t>(text[i] - '0');
    if (digit != 0 || digits != 0) ++digits;
    if (digits > precision) return std::nullopt;
    if (digits != 0) sum.Add(digit);
  }
  return sum.Finish(negative);
}

}  // namespace penstock::typemap
