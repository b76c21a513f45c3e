#include "mysql/binlog/compressed_column.h"

#include "base/byte_reader.h"

namespace penstock::binlog {

// An empty value has no bytes at all. Else the first byte is 0 before a value that is not deflated;
// or it holds the method (in its four high bits: 8 is zlib's), whether zlib's own header is left
// out (bit 3), and how many bytes the value's length has (three low bits). The length follows
// big-endian, then the deflated value.
bool ColumnInflater::Append(std::string_view stored, size_t bytes_max, std::string& out) {
  constexpr uint8_t kMethodZlib = 8;
  constexpr uint8_t kRawBit = 8;
  constexpr uint8_t kLengthBits = 7;
  constexpr size_t kLengthBytesMax = 4;
  if (stored.empty()) return true;
  ByteReader reader(stored);
  const uint8_t header = reader.U8();
  if (header == 0) {
    out.append(reader.Rest());
    return stored.size() - 1 <= bytes_max;
  }
  const size_t length_bytes = header & kLengthBits;
  if (header >> 4 != kMethodZlib || length_bytes == 0 || length_bytes > kLengthBytesMax) {
    return false;
  }
  const auto length = static_cast<size_t>(reader.Big(length_bytes));
  const std::string_view deflated = reader.Rest();
  if (!reader.ok() || length > bytes_max) return false;
  const bool raw = (header & kRawBit) != 0;
  return inflater_.Append(deflated, raw ? Inflater::Form::kRaw : Inflater::Form::kZlib, length,
                          out);
}

}  // namespace penstock::binlog
