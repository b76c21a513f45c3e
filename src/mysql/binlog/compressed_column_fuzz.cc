#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "base/check.h"
#include "mysql/binlog/compressed_column.h"

// The most that the column may hold, then the value as its row holds it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kBytesMax = 1 << 20;
  constexpr std::string_view kBefore = "before";
  penstock::ByteReader reader(std::string_view(reinterpret_cast<const char*>(data), size));
  const size_t bytes_max = reader.U32() % kBytesMax;
  const std::string_view stored = reader.Rest();
  penstock::binlog::ColumnInflater inflater;
  std::string out(kBefore);
  std::string again(kBefore);
  const bool read = inflater.Append(stored, bytes_max, out);
  PENSTOCK_CHECK(inflater.Append(stored, bytes_max, again) == read);
  if (!read) return 0;
  PENSTOCK_CHECK(out == again);
  PENSTOCK_CHECK(out.starts_with(kBefore));
  PENSTOCK_CHECK(out.size() <= kBefore.size() + bytes_max);
  return 0;
}
