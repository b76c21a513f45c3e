#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace penstock::typemap {

// A 256-bit two's complement integer, least significant limb first: what Decimal256 holds. Its
// first two limbs are the Decimal128 of the same value when that fits.
using Int256 = std::array<uint64_t, 4>;

// The unscaled integer of DECIMAL(precision, scale) digits such as "-12.30": an optional minus, at
// least one digit, then for scale > 0 a point and exactly `scale` digits. Nothing when the text has
// another form or more significant digits than `precision` (at most 76).
std::optional<Int256> ParseDecimalText(std::string_view text, uint32_t precision, uint32_t scale);

}  // namespace penstock::typemap
