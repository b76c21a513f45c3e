#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace penstock::mysql {

// Takes the packets of the client/server protocol out of what comes from a connection, many at each
// read: libmariadb copies each of them twice, which is half of what a short row costs. Owns one
// buffer, of kBufferBytes unless a packet is larger. One thread at a time.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html
class PacketReader {
 public:
  static constexpr size_t kBufferBytes = 256 << 10;

  // Waits for bytes, and writes no more than `room` of them to `to`; how many, or none (0 or less)
  // when no more will come.
  using Read = std::function<ssize_t(char* to, size_t room)>;

  // `sequence`: the number that the first packet must carry. A payload (of joined packets) of more
  // than `payload_bytes_max` is refused.
  PacketReader(Read read, uint8_t sequence, size_t payload_bytes_max);

  // The payload of the next packet; of several, where the server had to split it. The view lives
  // until the next call. kRetry when the connection has ended, kBadData for packets that are out of
  // order or too large; of no further use after either.
  Result<std::string_view> Next() {
    const size_t ready = end_ - begin_;
    if (ready >= kHeaderBytes && joined_.empty()) {
      const size_t bytes = PayloadBytes();
      if (bytes < kSplitBytes && ready >= kHeaderBytes + bytes) [[likely]] {
        return Take(bytes);
      }
    }
    return NextSlowly();
  }

  // As many of the next packets as have arrived whole, begin with `first_byte` and find room in
  // `payloads`; how many. Never waits. What ends it is left for Next. The views live until the next
  // call.
  size_t TakeReady(uint8_t first_byte, std::span<std::string_view> payloads);

 private:
  static constexpr size_t kHeaderBytes = 4;
  static constexpr size_t kSplitBytes = 0xffffff;  // of a packet that another one continues

  size_t PayloadBytes() const;  // as the header says, which is there
  Result<std::string_view> Take(size_t payload_bytes);
  Result<std::string_view> NextSlowly();
  Result<std::string_view> NextWhole();
  Status Await(size_t bytes);
  void MakeRoom(size_t bytes);

  Read read_;
  uint8_t sequence_;
  size_t payload_bytes_max_;
  size_t capacity_ = 0;
  std::unique_ptr<char[]> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  std::string joined_;
};

}  // namespace penstock::mysql
