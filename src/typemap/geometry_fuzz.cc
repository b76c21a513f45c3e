#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "typemap/geometry.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text = "before";
  const bool written = penstock::typemap::AppendWkt(
      std::string_view(reinterpret_cast<const char*>(data), size), text);
  if (!text.starts_with("before")) __builtin_trap();
  if (!written && text.size() != 6) __builtin_trap();
  if (text.size() > 64 + size * 8) __builtin_trap();
  return 0;
}
