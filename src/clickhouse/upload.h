#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "clickhouse/compression.h"

namespace penstock::clickhouse {

// The body of one request, read once from front to end. Bounded memory whatever its size.
class Upload {
 public:
  virtual ~Upload() = default;

  // Fills `out` with up to `capacity` (> 0) bytes; 0: the body has ended.
  virtual Result<size_t> Read(char* out, size_t capacity) = 0;

  // Known before it is read only when nothing is compressed and all is there.
  virtual std::optional<uint64_t> size() const = 0;
};

// Bytes that follow each other: views.
using Pieces = std::vector<std::string_view>;

// What follows the pieces before, whose bytes are no longer looked at; none: the end.
using MorePieces = std::function<Result<Pieces>()>;

// `pieces` and then `more` (null: nothing), one after the other, as one LZ4 or zstd frame when
// compressed. The bytes of `pieces` must outlive the upload or the first call of `more`.
std::unique_ptr<Upload> MakeUpload(Pieces pieces, Compression compression, MorePieces more = {});

}  // namespace penstock::clickhouse
