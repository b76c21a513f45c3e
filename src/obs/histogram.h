#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace penstock {

// How long something took, each time: a value to be kept and copied by its owner.
struct Histogram {
  // Upper bounds of the buckets, in seconds; what takes longer is in one more.
  static constexpr std::array kBounds = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                         1.0,  2.5,   5.0,  10., 30.,  60.};

  std::array<uint64_t, kBounds.size() + 1> counts{};
  UnixMicros total{};

  void Observe(UnixMicros duration) {
    const double seconds = std::chrono::duration<double>(duration).count();
    size_t bucket = 0;
    while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
    ++counts[bucket];
    total += duration;
  }
};

}  // namespace penstock
