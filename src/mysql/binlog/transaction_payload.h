#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "base/status.h"

struct ZSTD_DCtx_s;  // zstd's

namespace penstock::binlog {

// MySQL's TRANSACTION_PAYLOAD_EVENT (binlog_transaction_compression): the events of a transaction
// after its GTID, as they would stand in the log but without checksums.
// https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Transaction__payload__event.html
struct TransactionPayload {
  bool zstd = true;   // else as they are
  uint64_t size = 0;  // of the events together
  std::string_view data;
};

// Leaves the reader failed when the fields are malformed or the compression is not known.
TransactionPayload ParseTransactionPayload(ByteReader& reader);

// Takes the events out of payloads, one at a time and never all: holds zstd's window and little
// more than the largest event. That memory is kept for the next payload after small ones only. One
// thread at a time.
class TransactionPayloadReader {
 public:
  // Begins with a payload, whose data must live until its last event was taken; forgets the one at
  // hand, as Reset() does.
  void Begin(const TransactionPayload& payload);
  void Reset();

  // The next event from its header on; it lives until the next call. Nothing at the payload's end,
  // nor before the first one. kBadData for a payload that is not what it says, or that goes beyond
  // the limits below; the rest of it is forgotten.
  Result<std::optional<std::string_view>> Next();

  static constexpr size_t kEventBytesMax = size_t{1} << 30;  // max_allowed_packet goes no further
  // 128 MiB: what zstd's highest level uses, which the server lets one set.
  static constexpr int kWindowLogMax = 27;

 private:
  struct Free {
    void operator()(ZSTD_DCtx_s* context) const;
  };
  // Of the event that unread_ begins with.
  Result<size_t> EventSize();
  // Adds to unread_; `wanted`: bytes that it is to have in the end.
  Status Fill(size_t wanted);
  Failure Bad(std::string_view why);

  std::unique_ptr<ZSTD_DCtx_s, Free> zstd_;
  std::string_view compressed_;  // not yet given to zstd
  bool in_frame_ = false;        // of zstd's
  uint64_t size_ = 0;
  uint64_t left_ = 0;  // of it, not yet taken
  std::string buffer_;
  std::string_view unread_;  // in the buffer, or in a payload that is not compressed
};

}  // namespace penstock::binlog
