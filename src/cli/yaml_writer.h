#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace penstock::cli {

// YAML text that ParseYaml reads back to an equal value.
std::string ToYaml(const nlohmann::json& value);

}  // namespace penstock::cli
