#include "base/random.h"

#include <fmt/format.h>

#include <random>

namespace penstock {
namespace {

std::mt19937_64& Engine() {
  thread_local std::mt19937_64 engine{std::random_device{}()};
  return engine;
}

}  // namespace

std::string RandomUuid() {
  std::random_device device;
  const auto word = [&device] { return static_cast<uint32_t>(device()); };
  const uint32_t a = word();
  const uint32_t b = word();
  const uint32_t c = word();
  const uint32_t d = word();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:04x}{:08x}", a, b >> 16, b & 0xfff,
                     (c >> 16 & 0x3fff) | 0x8000, c & 0xffff, d);
}

double RandomFraction() { return std::uniform_real_distribution<double>(0.0, 1.0)(Engine()); }

uint32_t RandomU32() { return static_cast<uint32_t>(Engine()()); }

}  // namespace penstock
