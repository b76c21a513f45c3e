#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace penstock {

// Reads little- and big-endian fields from bytes it does not own. A read beyond the end returns
// zeros and makes `ok()` false for good, so a whole packet is decoded without a check per field and
// tested once at its end. Check lengths and counts against `remaining()` before looping over them.
// Returned views live as long as the bytes.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes)
      : position_(bytes.data()), end_(position_ + bytes.size()) {}

  bool ok() const { return ok_; }
  size_t remaining() const { return static_cast<size_t>(end_ - position_); }
  bool AtEnd() const { return position_ == end_; }
  void Fail() {
    ok_ = false;
    position_ = end_;
  }

  uint8_t U8() { return static_cast<uint8_t>(Little(1)); }
  uint16_t U16() { return static_cast<uint16_t>(Little(2)); }
  uint32_t U24() { return static_cast<uint32_t>(Little(3)); }
  uint32_t U32() { return static_cast<uint32_t>(Little(4)); }
  uint64_t U48() { return Little(6); }
  uint64_t U64() { return Little(8); }

  // Unsigned integer of 1 to 8 bytes.
  uint64_t Little(size_t width) {
    if (remaining() < width) [[unlikely]] {
      Fail();
      return 0;
    }
    uint64_t value = 0;
    if (remaining() >= sizeof(value)) [[likely]] {  // a load is faster than a copy of a few bytes
      std::memcpy(&value, position_, sizeof(value));
      if (width < sizeof(value)) value &= (uint64_t{1} << 8 * width) - 1;
    } else {
      std::memcpy(&value, position_, width);
    }
    position_ += width;
    return value;
  }
  uint64_t Big(size_t width) {
    if (remaining() < width) [[unlikely]] {
      Fail();
      return 0;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < width; ++i) value = value << 8 | static_cast<uint8_t>(position_[i]);
    position_ += width;
    return value;
  }
  template <typename T>
  T Raw() {
    T value{};
    if (remaining() < sizeof(T)) [[unlikely]] {
      Fail();
      return value;
    }
    std::memcpy(&value, position_, sizeof(T));
    position_ += sizeof(T);
    return value;
  }

  std::string_view Bytes(size_t count) {
    if (remaining() < count) [[unlikely]] {
      Fail();
      return {};
    }
    std::string_view bytes(position_, count);
    position_ += count;
    return bytes;
  }
  void Skip(size_t count) { Bytes(count); }
  std::string_view Rest() { return Bytes(remaining()); }

  // "Length-encoded integer" of the MySQL client/server protocol; 0xfb and 0xff fail.
  uint64_t LengthEncoded() {
    const uint8_t first = U8();
    if (first < 0xfb) return first;
    if (first == 0xfc) return U16();
    if (first == 0xfd) return U24();
    if (first == 0xfe) return U64();
    Fail();
    return 0;
  }
  std::string_view LengthEncodedBytes() {
    const uint64_t length = LengthEncoded();
    if (length > remaining()) [[unlikely]] {
      Fail();
      return {};
    }
    return Bytes(static_cast<size_t>(length));
  }

 private:
  const char* position_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace penstock
