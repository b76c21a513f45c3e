#include "mysql/wire/packet_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "mysql/wire/errors.h"

namespace penstock::mysql {

PacketReader::PacketReader(Read read, uint8_t sequence, size_t payload_bytes_max)
    : read_(std::move(read)), sequence_(sequence), payload_bytes_max_(payload_bytes_max) {}

size_t PacketReader::PayloadBytes() const {
  uint32_t header;
  std::memcpy(&header, buffer_.get() + begin_, kHeaderBytes);
  return header & kSplitBytes;
}

Result<std::string_view> PacketReader::Take(size_t payload_bytes) {
  const char* const packet = buffer_.get() + begin_;
  if (static_cast<uint8_t>(packet[kHeaderBytes - 1]) != sequence_++) {
    return Fail(ErrorCode::kBadData, "the source sent its packets out of order");
  }
  begin_ += kHeaderBytes + payload_bytes;
  return std::string_view(packet + kHeaderBytes, payload_bytes);
}

size_t PacketReader::TakeReady(uint8_t first_byte, std::span<std::string_view> payloads) {
  if (!joined_.empty()) return 0;  // Next gives its memory back
  size_t count = 0;
  while (count < payloads.size() && end_ - begin_ > kHeaderBytes) {
    const size_t bytes = PayloadBytes();
    const char* const packet = buffer_.get() + begin_;
    if (bytes == 0 || bytes == kSplitBytes || end_ - begin_ < kHeaderBytes + bytes) break;
    if (static_cast<uint8_t>(packet[kHeaderBytes - 1]) != sequence_) break;
    if (static_cast<uint8_t>(packet[kHeaderBytes]) != first_byte) break;
    ++sequence_;
    begin_ += kHeaderBytes + bytes;
    payloads[count++] = std::string_view(packet + kHeaderBytes, bytes);
  }
  return count;
}

Result<std::string_view> PacketReader::NextWhole() {
  PENSTOCK_TRY(Await(kHeaderBytes));
  const size_t bytes = PayloadBytes();
  if (joined_.size() + bytes > payload_bytes_max_) {
    return Fail(ErrorCode::kBadData, "the source sent a packet of more than {} bytes",
                payload_bytes_max_);
  }
  PENSTOCK_TRY(Await(kHeaderBytes + bytes));
  return Take(bytes);
}

Result<std::string_view> PacketReader::NextSlowly() {
  joined_ = std::string();  // and its memory
  PENSTOCK_ASSIGN(std::string_view packet, NextWhole());
  if (packet.size() < kSplitBytes) return packet;
  do {
    joined_ += packet;
    PENSTOCK_ASSIGN(packet, NextWhole());
  } while (packet.size() == kSplitBytes);
  joined_ += packet;
  return joined_;
}

Status PacketReader::Await(size_t bytes) {
  if (end_ - begin_ < bytes) MakeRoom(bytes);
  while (end_ - begin_ < bytes) {
    const ssize_t count = read_(buffer_.get() + end_, capacity_ - end_);
    if (count <= 0) return Fail(SourceError(kErrServerLost, "the connection was lost"));
    end_ += static_cast<size_t>(count);
  }
  return {};
}

// For a packet of so many bytes, of which some are there.
void PacketReader::MakeRoom(size_t bytes) {
  const size_t ready = end_ - begin_;
  const size_t capacity = std::max(bytes, kBufferBytes);
  if (capacity_ < bytes || (ready <= capacity && capacity_ > capacity)) {
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (ready != 0) std::memcpy(larger.get(), buffer_.get() + begin_, ready);
    buffer_ = std::move(larger);
    capacity_ = capacity;
  } else if (ready != 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, ready);
  }
  begin_ = 0;
  end_ = ready;
}

}  // namespace penstock::mysql
