#pragma once

#include <atomic>
#include <cstdint>

namespace penstock {

// What has passed since the process started. Added to by block or batch, not by row; safe from any
// thread.
struct Traffic {
  std::atomic<uint64_t> rows_fetched{0};
  std::atomic<uint64_t> bytes_fetched{0};  // as the source sent them
  std::atomic<uint64_t> rows_sent{0};      // and acknowledged
  std::atomic<uint64_t> bytes_sent{0};     // of their column data, before compression
};

}  // namespace penstock
