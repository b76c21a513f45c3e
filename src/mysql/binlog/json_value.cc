#include "mysql/binlog/json_value.h"

#include "base/byte_reader.h"

namespace penstock::binlog {
namespace {

constexpr size_t kKeyLengthWidth = 2;
constexpr size_t kTypeWidth = 1;

}  // namespace

JsonValue JsonRoot(std::string_view document) {
  constexpr std::string_view kNull("\0", 1);
  if (document.empty()) return {.type = kLiteral, .in_entry = true, .bytes = kNull};
  return {.type = static_cast<uint8_t>(document[0]), .bytes = document.substr(1)};
}

// Number of members, size in bytes, key entries (offset, length) of an object, value entries (type,
// offset or the value itself), keys, values. Offsets count from the container's start; in a large
// container they and the first two numbers have four bytes, else two.
std::optional<JsonContainer> JsonContainer::Open(const JsonValue& value) {
  if (!value.is_container()) return std::nullopt;
  JsonContainer container;
  container.is_object_ = value.is_object();
  container.width_ = value.type == kLargeObject || value.type == kLargeArray ? 4 : 2;
  ByteReader header(value.bytes);
  container.size_ = static_cast<size_t>(header.Little(container.width_));
  const uint64_t bytes = header.Little(container.width_);
  if (!header.ok() || bytes > value.bytes.size() || container.entry_bytes() > bytes) {
    return std::nullopt;
  }
  container.bytes_ = value.bytes.substr(0, static_cast<size_t>(bytes));
  return container;
}

size_t JsonContainer::entry_bytes() const {
  const size_t keys = is_object_ ? size_ * (width_ + kKeyLengthWidth) : 0;
  return size_t{2} * width_ + keys + size_ * (kTypeWidth + width_);
}

std::optional<std::string_view> JsonContainer::Key(size_t index) const {
  const size_t entry = size_t{2} * width_ + index * (width_ + kKeyLengthWidth);
  const uint64_t offset = NumberAt(entry, width_);
  const uint64_t length = NumberAt(entry + width_, kKeyLengthWidth);
  if (offset + length > bytes_.size()) return std::nullopt;
  return bytes_.substr(static_cast<size_t>(offset), static_cast<size_t>(length));
}

std::optional<JsonValue> JsonContainer::Member(size_t index) const {
  const size_t entry = entry_bytes() - (size_ - index) * (kTypeWidth + width_);
  const auto type = static_cast<uint8_t>(bytes_[entry]);
  const bool in_entry = type == kLiteral || type == kInt16 || type == kUint16 ||
                        (width_ == 4 && (type == kInt32 || type == kUint32));
  if (in_entry) {
    return JsonValue{
        .type = type, .in_entry = true, .bytes = bytes_.substr(entry + kTypeWidth, width_)};
  }
  const uint64_t offset = NumberAt(entry + kTypeWidth, width_);
  if (offset >= bytes_.size()) return std::nullopt;
  return JsonValue{.type = type, .bytes = bytes_.substr(static_cast<size_t>(offset))};
}

// Entries were checked to lie within the container when it was opened.
uint64_t JsonContainer::NumberAt(size_t offset, size_t width) const {
  return ByteReader(bytes_.substr(offset)).Little(width);
}

}  // namespace penstock::binlog
