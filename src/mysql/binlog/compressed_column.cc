#include "mysql/binlog/compressed_column.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "base/byte_reader.h"

namespace penstock::binlog {
namespace {

// Deflate makes at most 1032 bytes of one.
constexpr size_t kInflationMax = 1032;

constexpr int kRawDeflate = -MAX_WBITS;  // without zlib's header and checksum
constexpr int kZlib = MAX_WBITS;

}  // namespace

void ColumnInflater::End::operator()(z_stream_s* stream) const {
  inflateEnd(stream);
  delete stream;
}

// Fills the `length` bytes at `out` exactly, with the whole of `deflated`.
bool ColumnInflater::Inflate(std::string_view deflated, int window_bits, char* out, size_t length) {
  if (deflated.size() > std::numeric_limits<uInt>::max()) return false;
  if (!stream_) {
    stream_.reset(new z_stream{});
    if (inflateInit(stream_.get()) != Z_OK) return false;
  }
  if (inflateReset2(stream_.get(), window_bits) != Z_OK) return false;
  // zlib does not write to its input, but asks for it without const.
  stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(deflated.data()));
  stream_->avail_in = static_cast<uInt>(deflated.size());
  stream_->next_out = reinterpret_cast<Bytef*>(out);
  stream_->avail_out = static_cast<uInt>(length);
  const int ended = inflate(stream_.get(), Z_FINISH);
  return ended == Z_STREAM_END && stream_->avail_in == 0 && stream_->avail_out == 0;
}

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
  if (!reader.ok() || length > std::min(bytes_max, deflated.size() * kInflationMax)) return false;
  const size_t before = out.size();
  out.resize(before + length);
  return Inflate(deflated, (header & kRawBit) != 0 ? kRawDeflate : kZlib, out.data() + before,
                 length);
}

}  // namespace penstock::binlog
