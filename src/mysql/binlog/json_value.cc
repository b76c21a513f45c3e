#include "mysql/binlog/json_value.h"

#include "base/byte_reader.h"

namespace penstock::binlog {

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
  const size_t key_entry = container.is_object_ ? container.width_ + kKeyLengthWidth : 0;
  container.values_at_ = size_t{2} * container.width_ + container.size_ * key_entry;
  if (!header.ok() || bytes > value.bytes.size() || container.entry_bytes() > bytes) {
    return std::nullopt;
  }
  container.bytes_ = value.bytes.substr(0, static_cast<size_t>(bytes));
  return container;
}

}  // namespace penstock::binlog
