#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "cli/command_table.h"

namespace penstock::cli {

// A script that completes penstock's command line in a shell ("bash", "zsh", "fish"): commands,
// options, their values, files, and the names of pipes, for which it asks the server by `penstock
// list`. kInvalidArgument: no such shell.
Result<std::string> CompletionScript(const CommandTable& table, std::string_view shell);

}  // namespace penstock::cli
