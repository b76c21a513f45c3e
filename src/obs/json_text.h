#pragma once

#include <string>
#include <string_view>

namespace penstock {

// The text as a string of JSON, in quotes. Bytes that are no UTF-8 become U+FFFD.
std::string JsonText(std::string_view text);

}  // namespace penstock
