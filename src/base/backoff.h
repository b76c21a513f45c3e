#pragma once

#include <chrono>

namespace penstock {

// Waits between attempts: doubling from `first` to `longest`, each shortened by up to half at
// random so that many pipes do not knock at the same moment.
class Backoff {
 public:
  struct Options {
    std::chrono::milliseconds first{200};
    std::chrono::milliseconds longest{10'000};
  };
  Backoff() : Backoff(Options()) {}
  explicit Backoff(Options options) : options_(options), next_(options.first) {}

  std::chrono::milliseconds Next();
  void Reset() {
    next_ = options_.first;
    attempts_ = 0;
  }
  int attempts() const { return attempts_; }

 private:
  Options options_;
  std::chrono::milliseconds next_;
  int attempts_ = 0;
};

}  // namespace penstock
