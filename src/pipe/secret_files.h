#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "base/status.h"

namespace penstock::pipe {

// Puts the contents of files in place of passwordFile in the credentials of a body of the API, as
// `password`. The files lie in `folder`, or below it: names that lead out of it, by links too, are
// refused. "": there is no such folder, and every passwordFile is refused. kInvalidArgument names
// the field.
Status ReadSecretFiles(nlohmann::json& body, const std::filesystem::path& folder);

}  // namespace penstock::pipe
