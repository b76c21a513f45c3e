#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/status.h"

namespace penstock::cli {

// The API's POST body from a pipe file; "-" is standard input. Beside what the API takes,
// `passwordFile` (relative to the pipe file; one line end at its end is dropped) and `passwordEnv`
// may stand for `password` in source.mysql.credentials and destination.clickhouse.
Result<nlohmann::json> ReadPipeFile(const std::filesystem::path& file);

// Replaces passwordFile or passwordEnv of `object` by password. Anything but an object is left as
// it is. `path` names the object in errors.
Status ResolvePassword(nlohmann::json& object, const std::filesystem::path& folder,
                       std::string_view path);

// Likewise wherever the API's body has a password.
Status ResolvePasswords(nlohmann::json& body, const std::filesystem::path& folder);

// The file's text without one line end at its end.
Result<std::string> ReadPasswordFile(const std::filesystem::path& file);

}  // namespace penstock::cli
