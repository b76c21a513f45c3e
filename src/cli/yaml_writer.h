#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/output.h"

namespace penstock::cli {

// YAML text that ParseYaml reads back to an equal value.
std::string ToYaml(const nlohmann::json& value);

// As YAML, else as JSON with its levels indented; bytes that are no UTF-8 are replaced.
std::string ValueText(const nlohmann::json& value, OutputFormat format);

}  // namespace penstock::cli
