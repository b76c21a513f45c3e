#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "clickhouse/client.h"

namespace penstock::clickhouse {

// The body of one request, read once from front to end. Bounded memory whatever its size.
class Upload {
 public:
  virtual ~Upload() = default;

  // Fills `out` with up to `capacity` (> 0) bytes; 0: the body has ended.
  virtual Result<size_t> Read(char* out, size_t capacity) = 0;

  // Known before it is read only when nothing is compressed.
  virtual std::optional<uint64_t> size() const = 0;
};

// `pieces`, one after the other, as one LZ4 or zstd frame when compressed. The bytes they view must
// outlive the upload.
std::unique_ptr<Upload> MakeUpload(std::vector<std::string_view> pieces, Compression compression);

// The HTTP Content-Encoding of it; empty: none.
std::string_view ContentEncoding(Compression compression);

}  // namespace penstock::clickhouse
