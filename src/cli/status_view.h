#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace penstock::cli {

// A pipe's status (the API's GET .../status) for people.

// Whether it reads the source now. Of one that does not, what was known of the source may be old.
bool IsAtWork(const nlohmann::json& status);

// Several lines: state, speed, a progress bar per table. At most `height` lines of at most `width`
// characters; tables that do not fit are counted in the last line.
struct ScreenSize {
  size_t width = 100;
  size_t height = 1'000'000;
};
std::vector<std::string> StatusLines(const nlohmann::json& status, ScreenSize size,
                                     bool colours = false);

// The same in one line, for logs: "Running  lag 420 ms  1,200 rows/s  ...".
std::string StatusLine(const nlohmann::json& status);

// How far the load of a pipe (the status's "snapshot") or of a table is:
// "250 of 1,000 rows  2.5 kB of 10.0 kB  100 rows/s  7.5 s left".
std::string LoadText(const nlohmann::json& load);

}  // namespace penstock::cli
