#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/status.h"

namespace penstock::pipe {

// What the API's body holds for other kinds of pipe and for the hosted service, and what changes
// nothing here: it is kept and answered. Looked through all the same, so that an answer fits the
// API whatever was sent. The first error is kept, with its `path`, as by ObjectReader.

void CheckHostedSettings(const nlohmann::json& given, std::string path,
                         std::optional<Error>& error);
void CheckHostedScaling(const nlohmann::json& given, std::string path, std::optional<Error>& error);
// Lists of objects of two texts each.
void CheckFieldMappings(const nlohmann::json& given, const std::string& path,
                        std::optional<Error>& error);
void CheckDestinationColumns(const nlohmann::json& given, const std::string& path,
                             std::optional<Error>& error);
void CheckTableDefinition(const nlohmann::json& given, const std::string& path,
                          std::optional<Error>& error);

}  // namespace penstock::pipe
