#include "mysql/binlog/transaction_payload.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>

namespace penstock::binlog {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 18;
constexpr uint64_t kSmallPayload = uint64_t{1} << 20;
constexpr size_t kHeaderBytes = 19;
constexpr size_t kSizeOffset = 9;

}  // namespace

// Fields of type, length and value up to an end mark; every number is length-encoded.
TransactionPayload ParseTransactionPayload(ByteReader& reader) {
  enum Field : uint8_t { kEndMark, kDataSize, kCompression, kSize };
  constexpr uint64_t kZstd = 0;
  constexpr uint64_t kNone = 255;
  TransactionPayload payload;
  uint64_t compression = kZstd;
  uint64_t data_size = 0;
  for (uint64_t type = reader.LengthEncoded(); type != kEndMark; type = reader.LengthEncoded()) {
    ByteReader value(reader.LengthEncodedBytes());
    if (type > kSize) continue;
    const uint64_t number = value.LengthEncoded();
    if (!value.ok()) reader.Fail();
    (type == kDataSize ? data_size : type == kCompression ? compression : payload.size) = number;
  }
  payload.data = reader.Rest();
  payload.zstd = compression == kZstd;
  if (!payload.zstd) payload.size = payload.data.size();
  if ((!payload.zstd && compression != kNone) || payload.data.size() != data_size) reader.Fail();
  return payload;
}

void TransactionPayloadReader::Free::operator()(ZSTD_DCtx_s* context) const {
  ZSTD_freeDCtx(context);
}

void TransactionPayloadReader::Begin(const TransactionPayload& payload) {
  Reset();
  if (zstd_) ZSTD_DCtx_reset(zstd_.get(), ZSTD_reset_session_only);
  size_ = payload.size;
  left_ = payload.size;
  (payload.zstd ? compressed_ : unread_) = payload.data;
}

Result<std::optional<std::string_view>> TransactionPayloadReader::Next() {
  size_t size = kHeaderBytes;
  while (true) {
    if (unread_.size() >= kHeaderBytes) {
      PENSTOCK_ASSIGN(size, EventSize());
    }
    if (unread_.size() >= size) break;
    if (unread_.empty() && compressed_.empty() && !in_frame_) {
      if (left_ != 0) return Bad("is shorter than it says");
      Reset();
      return std::nullopt;
    }
    PENSTOCK_TRY(Fill(size));
  }
  const std::string_view event = unread_.substr(0, size);
  unread_.remove_prefix(size);
  left_ -= size;
  return event;
}

Result<size_t> TransactionPayloadReader::EventSize() {
  ByteReader reader(unread_.substr(kSizeOffset));
  const size_t size = reader.U32();
  if (size < kHeaderBytes || size > left_) return Bad("holds an event of an impossible size");
  if (size > kEventBytesMax) return Bad("holds an event of more than 1 GiB");
  return size;
}

// The buffer grows by as much as has come, at most, whatever an event says of itself.
Status TransactionPayloadReader::Fill(size_t wanted) {
  if (compressed_.empty() && !in_frame_) return Bad("ends in the middle of an event");
  const size_t have = unread_.size();
  if (have != 0) std::memmove(buffer_.data(), unread_.data(), have);
  if (have == buffer_.size()) {
    buffer_.resize(std::max(kBufferBytes, std::min(wanted, 2 * have)));
  }
  if (!zstd_) {
    zstd_.reset(ZSTD_createDCtx());
    if (!zstd_) return Fail(ErrorCode::kExhausted, "no memory for zstd");
    ZSTD_DCtx_setParameter(zstd_.get(), ZSTD_d_windowLogMax, kWindowLogMax);
  }
  ZSTD_inBuffer in{compressed_.data(), compressed_.size(), 0};
  ZSTD_outBuffer out{buffer_.data() + have, buffer_.size() - have, 0};
  const size_t state = ZSTD_decompressStream(zstd_.get(), &out, &in);
  if (ZSTD_isError(state) != 0) return Bad(ZSTD_getErrorName(state));
  if (in.pos == 0 && out.pos == 0) return Bad("ends too early");
  compressed_.remove_prefix(in.pos);
  in_frame_ = state != 0;
  unread_ = std::string_view(buffer_.data(), have + out.pos);
  return {};
}

// After a large payload, its memory goes too.
void TransactionPayloadReader::Reset() {
  if (size_ > kSmallPayload) {
    zstd_.reset();
    buffer_.clear();
    buffer_.shrink_to_fit();
  }
  compressed_ = {};
  unread_ = {};
  in_frame_ = false;
  size_ = 0;
  left_ = 0;
}

Failure TransactionPayloadReader::Bad(std::string_view why) {
  Reset();
  return Fail(ErrorCode::kBadData, "a compressed transaction in the log {}", why);
}

}  // namespace penstock::binlog
