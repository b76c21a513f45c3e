#pragma once

namespace penstock::cli {

// The program: parses the arguments, runs a command, and answers the exit code: 0 on success, 1 on
// failure (its one line on stderr), 2 on wrong usage.
int Main(int argc, char** argv);

}  // namespace penstock::cli
