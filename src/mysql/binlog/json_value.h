#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace penstock::binlog {

// The kinds of values in MySQL's binary JSON form.
// https://dev.mysql.com/doc/dev/mysql-server/latest/json__binary_8h.html
enum JsonType : uint8_t {
  kSmallObject = 0,
  kLargeObject = 1,
  kSmallArray = 2,
  kLargeArray = 3,
  kLiteral = 4,
  kInt16 = 5,
  kUint16 = 6,
  kInt32 = 7,
  kUint32 = 8,
  kInt64 = 9,
  kUint64 = 10,
  kDouble = 11,
  kString = 12,
  kOpaque = 15,
};

// The server's own limit on objects and arrays within each other.
constexpr int kJsonDepthMax = 100;

// A value within a document: a view of the document's bytes. Not yet known to be well-formed.
struct JsonValue {
  uint8_t type = kLiteral;
  bool in_entry = false;     // a small scalar that stands in the entry of what holds it
  std::string_view bytes{};  // begin with the value, and end with what holds it

  bool is_object() const { return type == kSmallObject || type == kLargeObject; }
  bool is_container() const { return type <= kLargeArray; }
};

// The whole document. No bytes at all are the literal null, as they are for the server.
JsonValue JsonRoot(std::string_view document);

// The members of an object or array, by their place. Indexes must be below size().
class JsonContainer {
 public:
  JsonContainer() = default;  // an array of no members

  // Absent when the value is no container, or when its bytes cannot hold what its header counts.
  static std::optional<JsonContainer> Open(const JsonValue& value);

  bool is_object() const { return is_object_; }
  size_t size() const { return size_; }
  // Bytes of the header and of the entries that tell where keys and values are.
  size_t entry_bytes() const { return values_at_ + size_ * (kTypeWidth + width_); }

  // Absent when it does not lie within the container. Only objects have keys.
  std::optional<std::string_view> Key(size_t index) const {
    const size_t entry = size_t{2} * width_ + index * (width_ + kKeyLengthWidth);
    const uint64_t offset = Number(entry, width_);
    const uint64_t length = Number(entry + width_, kKeyLengthWidth);
    if (offset + length > bytes_.size()) return std::nullopt;
    return std::string_view(bytes_.data() + offset, static_cast<size_t>(length));
  }
  std::optional<JsonValue> Member(size_t index) const {
    const size_t entry = values_at_ + index * (kTypeWidth + width_);
    JsonValue member{.type = static_cast<uint8_t>(bytes_[entry])};
    const char* number = bytes_.data() + entry + kTypeWidth;
    member.in_entry = IsInEntry(member.type);
    if (member.in_entry) {
      member.bytes = std::string_view(number, width_);
      return member;
    }
    const uint64_t offset = Number(entry + kTypeWidth, width_);
    if (offset >= bytes_.size()) return std::nullopt;
    member.bytes = std::string_view(bytes_.data() + offset, bytes_.size() - offset);
    return member;
  }

 private:
  static constexpr size_t kKeyLengthWidth = 2;
  static constexpr size_t kTypeWidth = 1;

  bool IsInEntry(uint8_t type) const {
    return type == kLiteral || type == kInt16 || type == kUint16 ||
           (width_ == 4 && (type == kInt32 || type == kUint32));
  }
  // Within the entries, which were checked to lie within the bytes.
  uint64_t Number(size_t offset, size_t width) const {
    uint16_t narrow = 0;
    uint32_t wide = 0;
    std::memcpy(&narrow, bytes_.data() + offset, sizeof(narrow));
    if (width == sizeof(narrow)) return narrow;
    std::memcpy(&wide, bytes_.data() + offset, sizeof(wide));
    return wide;
  }

  std::string_view bytes_;
  size_t size_ = 0;
  size_t values_at_ = 4;  // entries of the values
  uint8_t width_ = 2;     // of offsets and counts
  bool is_object_ = false;
};

}  // namespace penstock::binlog
