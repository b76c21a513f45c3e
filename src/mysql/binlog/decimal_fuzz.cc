#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "base/check.h"
#include "mysql/binlog/decimal.h"

namespace {

using penstock::ByteReader;
using penstock::binlog::DecimalShape;

std::string WithoutPoint(int64_t number, uint32_t scale) {
  std::string digits = std::to_string(number < 0 ? -number : number);
  if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
  if (scale > 0) digits.insert(digits.size() - scale, ".");
  return (number < 0 ? "-" : "") + digits;
}

bool IsZero(std::string_view text) { return text.find_first_of("123456789") == text.npos; }

}  // namespace

// Precision, scale, then a packed number: what fits 64 bits is read both ways.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr uint32_t kNarrowMax = 18;
  constexpr size_t kMarksMax = 3;  // sign, point and the zero before it
  ByteReader header(std::string_view(reinterpret_cast<const char*>(data), size));
  const DecimalShape shape{.precision = header.U8(), .scale = header.U8()};
  if (!header.ok() || !shape.valid_in_json()) return 0;
  const std::string_view bytes = header.Rest();

  ByteReader reader(bytes);
  std::string text;
  penstock::binlog::AppendDecimalText(reader, shape, text);
  if (reader.ok()) PENSTOCK_CHECK(text.size() <= shape.precision + kMarksMax);
  if (!shape.valid() || shape.precision > kNarrowMax) return 0;

  ByteReader narrow(bytes);
  const int64_t number = penstock::binlog::ReadDecimal(narrow, shape);
  PENSTOCK_CHECK(narrow.ok() == reader.ok() && narrow.remaining() == reader.remaining());
  if (narrow.ok() && !IsZero(text)) PENSTOCK_CHECK(text == WithoutPoint(number, shape.scale));
  if (narrow.ok() && IsZero(text)) PENSTOCK_CHECK(number == 0);
  return 0;
}
