#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "mysql/binlog/json_binary.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // A decimal can be printed as 80 characters from one stored byte more than its digits; a control
  // character as six.
  constexpr size_t kGrowthMax = 32;
  std::string text;
  (void)penstock::binlog::AppendJsonText(
      std::string_view(reinterpret_cast<const char*>(data), size), text);
  if (text.size() > kGrowthMax * (size + 4)) __builtin_trap();
  return 0;
}
