#pragma once

#include <cstdint>
#include <string>

namespace penstock {

// A random UUID of version 4, from the system's source of randomness.
std::string RandomUuid();

// Uniform in [0, 1): for jitter and sampling, not for secrets. Safe from any thread.
double RandomFraction();
uint32_t RandomU32();

}  // namespace penstock
