#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace penstock::cli {

// A report of the checks (the API's POST .../clickpipesCheck) for people.

struct ReportStyle {
  bool colours = false;
  size_t width = 0;  // lines are wrapped at this many characters; 0: not at all
};

// What was found of the source, of the tables and of the destination, a finding under the other:
// how it went, the check's name, what it means; below, "fix:" and what to do, then the statement
// that does it on a line of its own, never wrapped. Then a line of counts, and what create would
// run.
std::string ReportText(const nlohmann::json& report, const ReportStyle& style);

// "2 errors, 1 warning, 30 ok, 3 not run"; what there is none of is left out.
std::string CountsText(const nlohmann::json& report);

}  // namespace penstock::cli
