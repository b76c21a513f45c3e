#pragma once

#include <string_view>

namespace penstock {

// Prints the failed condition with its place to stderr and aborts: for what only a bug of ours can
// break, never for input.
[[noreturn]] void CheckFailed(std::string_view condition, std::string_view file, int line);

#define PENSTOCK_CHECK(condition)                                              \
  do {                                                                         \
    if (!(condition)) ::penstock::CheckFailed(#condition, __FILE__, __LINE__); \
  } while (false)

}  // namespace penstock
