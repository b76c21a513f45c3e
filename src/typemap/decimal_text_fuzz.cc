#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/byte_reader.h"
#include "base/check.h"
#include "typemap/decimal_text.h"

namespace {

bool FitsDecimal64(const penstock::typemap::Int256& number) {
  const uint64_t sign = number[0] >> 63 != 0 ? UINT64_MAX : 0;
  return std::all_of(number.begin() + 1, number.end(), [sign](uint64_t x) { return x == sign; });
}

}  // namespace

// Precision, scale, then a text; its shortest numbers are computed again.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr uint32_t kPrecisionMax = 76;
  constexpr size_t kNarrowMax = 18;
  penstock::ByteReader reader(std::string_view(reinterpret_cast<const char*>(data), size));
  const uint32_t precision = reader.U8() % kPrecisionMax + 1;
  const uint32_t scale = reader.U8() % (precision + 1);
  const std::string_view text = reader.Rest();
  const auto number = penstock::typemap::ParseDecimalText(text, precision, scale);
  if (!number) return 0;
  int64_t narrow = 0;
  size_t digits = 0;
  for (const char c : text) {
    PENSTOCK_CHECK((c >= '0' && c <= '9') || c == '-' || c == '.');
    if (c < '0' || digits >= kNarrowMax) continue;
    narrow = narrow * 10 + (c - '0');
    digits += digits > 0 || c != '0' ? 1 : 0;
  }
  if (digits >= kNarrowMax) return 0;
  PENSTOCK_CHECK(FitsDecimal64(*number));
  PENSTOCK_CHECK(static_cast<int64_t>((*number)[0]) == (text.starts_with('-') ? -narrow : narrow));
  return 0;
}
