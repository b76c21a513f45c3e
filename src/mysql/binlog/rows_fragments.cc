#include "mysql/binlog/rows_fragments.h"

#include <algorithm>
#include <limits>

#include "base/byte_reader.h"

namespace penstock::binlog {

// Two numbers: which fragment it is, from 1, and of how many; flags; of the first fragment, the
// size of the whole event; its bytes. The documentation and the server's source differ in which
// number comes first: it is the lower one.
Result<std::optional<std::string_view>> RowsFragments::Add(std::string_view fragment) {
  constexpr uint8_t kHasSize = 1;
  ByteReader reader(fragment);
  const uint32_t first_number = reader.U32();
  const uint32_t second_number = reader.U32();
  const auto [sequence, total] = std::minmax(first_number, second_number);
  const bool has_size = (reader.U8() & kHasSize) != 0;
  const uint64_t size = has_size ? reader.U64() : 0;
  if (!reader.ok() || has_size != (sequence == 1)) return Bad("malformed");
  Release();
  if (sequence != sequence_ + 1 || (sequence != 1 && total != total_)) return Bad("out of order");
  sequence_ = sequence;
  total_ = total;
  if (sequence == 1) size_ = size;
  if (size_ > std::numeric_limits<uint32_t>::max() || reader.remaining() > size_ - joined_.size()) {
    return Bad("larger than they say");
  }
  joined_.append(reader.Rest());
  if (sequence != total) return std::nullopt;
  if (joined_.size() != size_) return Bad("smaller than they say");
  return joined_;
}

void RowsFragments::Release() {
  if (sequence_ == total_ && total_ != 0) Reset();
}

void RowsFragments::Reset() { *this = RowsFragments(); }

Failure RowsFragments::Bad(std::string_view why) {
  Reset();
  return Fail(ErrorCode::kBadData, "the fragments of a rows event are {}", why);
}

}  // namespace penstock::binlog
