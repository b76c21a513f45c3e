#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "mysql/binlog/event.h"

namespace {

// Chops the input into events (a byte of length in eights, one of type, the body) so that one input
// can hold a format description and what follows it.
std::string NextPacket(penstock::ByteReader& reader) {
  const size_t length = std::min<size_t>(reader.U8() * size_t{8}, reader.remaining());
  std::string packet(4, '\0');
  packet += static_cast<char>(reader.U8());
  packet += std::string(12, '\0');
  packet += std::string(2, '\0');
  packet += reader.Bytes(std::min(length, reader.remaining()));
  for (size_t i = 0; i < 4; ++i) packet[9 + i] = static_cast<char>(packet.size() >> (8 * i));
  return packet;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  penstock::ByteReader reader(std::string_view(reinterpret_cast<const char*>(data), size));
  penstock::binlog::EventParser parser;
  parser.set_verify_checksum(false);
  while (!reader.AtEnd()) {
    const std::string packet = NextPacket(reader);
    const auto event = parser.Parse(packet);
    if (!event) continue;
    if (const auto* map = std::get_if<penstock::binlog::TableMap>(&event->body)) {
      if (map->metadata.size() != map->types.size()) __builtin_trap();
      if (!map->names.empty() && map->names.size() != map->types.size()) __builtin_trap();
    }
  }
  penstock::binlog::EventParser whole;
  (void)whole.Parse(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
