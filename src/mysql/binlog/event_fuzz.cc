#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "base/check.h"
#include "mysql/binlog/column_details.h"
#include "mysql/binlog/event.h"

namespace {

constexpr size_t kHeaderBytes = 19;
constexpr size_t kSizeOffset = 9;
constexpr int kInPayloadMax = 100;

// The next event after its length; its header always says its true size, so that a change of the
// body reaches the body's parser.
std::string NextPacket(penstock::ByteReader& reader) {
  std::string packet(reader.Bytes(std::min<size_t>(reader.U16(), reader.remaining())));
  if (packet.size() < kHeaderBytes) packet.resize(kHeaderBytes);
  for (size_t i = 0; i < 4; ++i) {
    packet[kSizeOffset + i] = static_cast<char>(packet.size() >> (8 * i));
  }
  return packet;
}

}  // namespace

// One log: whether events have checksums before the log says so, then its events.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  penstock::ByteReader reader(std::string_view(reinterpret_cast<const char*>(data), size));
  penstock::binlog::EventParser parser;
  parser.set_verify_checksum(false);
  parser.set_checksum(reader.U8() % 2 != 0);
  while (!reader.AtEnd()) {
    const std::string packet = NextPacket(reader);
    const auto event = parser.Parse(packet);
    auto inside = parser.NextInPayload();
    for (int i = 0; i < kInPayloadMax && inside && *inside; ++i) inside = parser.NextInPayload();
    if (!event) continue;
    if (const auto* map = std::get_if<penstock::binlog::TableMap>(&event->body)) {
      PENSTOCK_CHECK(map->metadata.size() == map->types.size());
      PENSTOCK_CHECK(map->names.empty() || map->names.size() == map->types.size());
      PENSTOCK_CHECK(map->nullable.size() == (map->types.size() + 7) / 8);
      PENSTOCK_CHECK(penstock::binlog::ReadColumnDetails(*map).size() == map->types.size());
    }
    if (const auto* rows = std::get_if<penstock::binlog::Rows>(&event->body)) {
      PENSTOCK_CHECK(rows->present.size() == (rows->column_count + 7) / 8);
    }
  }
  penstock::binlog::EventParser whole;
  (void)whole.Parse(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
