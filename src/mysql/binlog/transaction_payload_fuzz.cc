#include <zstd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "base/check.h"
#include "mysql/binlog/event.h"
#include "mysql/binlog/event_for_test.h"
#include "mysql/binlog/event_type.h"

namespace {

constexpr uint64_t kAllMax = 1 << 24;  // of a small input that stands for much

// Goes through the payload: the sum of its events, if it was sound.
std::optional<uint64_t> Through(penstock::binlog::EventParser& parser, std::string_view packet) {
  const auto event = parser.Parse(packet);
  if (!event || !std::holds_alternative<penstock::binlog::TransactionPayload>(event->body)) {
    return std::nullopt;
  }
  uint64_t sum = 0;
  while (sum < kAllMax) {
    const auto inside = parser.NextInPayload();
    if (!inside) return std::nullopt;
    if (!*inside) break;
    sum += (*inside)->header.size;
  }
  PENSTOCK_CHECK(sum >= kAllMax ||
                 sum == std::get<penstock::binlog::TransactionPayload>(event->body).size);
  return sum;
}

}  // namespace

// A payload event's body; or, of an odd first byte, events to be compressed into one.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  penstock::ByteReader reader(std::string_view(reinterpret_cast<const char*>(data), size));
  const bool compress = reader.U8() % 2 != 0;
  std::string body(reader.Rest());
  if (compress) {
    std::string zstd(ZSTD_compressBound(body.size()), '\0');
    zstd.resize(ZSTD_compress(zstd.data(), zstd.size(), body.data(), body.size(), 1));
    body = "\1\4\xfd" + penstock::binlog::Little(zstd.size(), 3) + "\3\4\xfd" +
           penstock::binlog::Little(body.size(), 3) + '\0' + zstd;
  }
  penstock::binlog::EventParser parser;
  const std::string packet =
      penstock::binlog::EventOf(penstock::binlog::kTransactionPayloadEvent, body);
  const auto first = Through(parser, packet);
  PENSTOCK_CHECK(Through(parser, packet) == first);  // whatever was left of the first time
  return 0;
}
