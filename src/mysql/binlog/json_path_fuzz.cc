#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/check.h"
#include "mysql/binlog/json_path.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  penstock::binlog::JsonPathReader path(text);
  std::deque<std::string> unescaped;
  size_t legs = 0;
  size_t key_bytes = 0;
  while (!path.AtEnd()) {
    key_bytes += path.Next(unescaped).key.size();
    ++legs;
    PENSTOCK_CHECK(legs <= size && key_bytes <= size);
  }
  return 0;
}
