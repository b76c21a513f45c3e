#pragma once

#include <string>

#include "base/status.h"
#include "cli/command_table.h"

namespace penstock::cli {

// The program: parses the arguments, runs a command, and answers the exit code: 0 on success, 1 on
// failure (its one line on stderr), 2 on wrong usage.
int Main(int argc, char** argv);

CommandTable Commands();
// Whether the words after "penstock" are right, separated by spaces; nothing is done.
Status CheckWords(const std::string& words);

}  // namespace penstock::cli
