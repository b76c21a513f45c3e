#pragma once

#include <string>
#include <string_view>

namespace penstock {

// Two upper-case digits a byte.
std::string Hex(std::string_view bytes);

}  // namespace penstock
