#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// Events made by hand, of forms that no server at hand writes.
namespace penstock::binlog {

inline std::string Little(uint64_t value, size_t bytes) {
  std::string out;
  for (size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}

// With a header, and without a checksum.
inline std::string EventOf(uint8_t type, std::string_view body, uint32_t end_offset = 0) {
  return Little(0, 4) + Little(type, 1) + Little(1, 4) + Little(19 + body.size(), 4) +
         Little(end_offset, 4) + Little(0, 2) + std::string(body);
}

}  // namespace penstock::binlog
