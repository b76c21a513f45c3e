#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "mysql/binlog/json_diff.h"

// A document after its length, then differences: applied twice with one patcher, to the same
// effect.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // As in json_binary_fuzz.cc.
  constexpr size_t kGrowthMax = 32;
  penstock::ByteReader reader(std::string_view(reinterpret_cast<const char*>(data), size));
  const std::string_view document = reader.Bytes(reader.U16());
  if (!reader.ok()) return 0;
  const std::string_view differences = reader.Rest();
  penstock::binlog::JsonPatcher patcher;
  std::string first;
  const bool applied = patcher.AppendText(document, differences, first).has_value();
  if (first.size() > kGrowthMax * (size + 4)) __builtin_trap();
  std::string second;
  if (patcher.AppendText(document, differences, second).has_value() != applied) __builtin_trap();
  if (first != second) __builtin_trap();
  return 0;
}
