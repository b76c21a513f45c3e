#include "base/check.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace penstock {

void CheckFailed(std::string_view condition, std::string_view file, int line) {
  fmt::print(stderr, "penstock: bug at {}:{}: {} does not hold\n", file, line, condition);
  std::abort();
}

}  // namespace penstock
