#pragma once

#include <string>

#include "cli/command_table.h"

namespace penstock::cli {

// The manual page penstock(1), in the language of man(7).
std::string ManualPage(const CommandTable& table);

}  // namespace penstock::cli
