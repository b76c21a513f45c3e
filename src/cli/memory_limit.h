#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace penstock::cli {

// A quarter of what this process may use (its container's limit, else the machine's memory), at
// most 1 GiB.
uint64_t DefaultMemoryLimitBytes();

// "536870912", "512MiB", "1GiB"
Result<uint64_t> ParseBytes(std::string_view text);

}  // namespace penstock::cli
