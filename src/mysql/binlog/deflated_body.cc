#include "mysql/binlog/deflated_body.h"

namespace penstock::binlog {
namespace {

constexpr size_t kBytesMax = size_t{1} << 30;  // max_allowed_packet goes no further
constexpr size_t kBytesKept = size_t{1} << 20;

}  // namespace

// The first byte holds the method (in its bits 4 to 6: 0 is zlib's) and how many bytes the length
// has (three low bits); its highest bit is always set. The length follows big-endian, then the
// deflated bytes.
std::string_view BodyInflater::Inflate(std::string_view stored, ByteReader& reader) {
  constexpr uint8_t kLengthBits = 7;
  constexpr size_t kLengthBytesMax = 4;
  ByteReader form(stored);
  const uint8_t header = form.U8();
  const size_t length_bytes = header & kLengthBits;
  const bool known = (header & ~kLengthBits) == 0x80 && length_bytes <= kLengthBytesMax;
  const auto length = static_cast<size_t>(form.Big(length_bytes));
  Release();
  if (!known || !form.ok() || length > kBytesMax ||
      !inflater_.Append(form.Rest(), Inflater::Form::kZlib, length, body_)) {
    reader.Fail();
  }
  return body_;
}

void BodyInflater::Release() {
  body_.clear();
  if (body_.capacity() > kBytesKept) body_.shrink_to_fit();
}

}  // namespace penstock::binlog
