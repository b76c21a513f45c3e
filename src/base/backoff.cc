#include "base/backoff.h"

#include <algorithm>

#include "base/random.h"

namespace penstock {

std::chrono::milliseconds Backoff::Next() {
  const double share = 0.5 + RandomFraction() / 2;
  const auto wait =
      std::chrono::milliseconds(static_cast<int64_t>(static_cast<double>(next_.count()) * share));
  next_ = std::min(next_ * 2, options_.longest);
  ++attempts_;
  return wait;
}

}  // namespace penstock
