#pragma once

#include <filesystem>
#include <string>

#include "base/status.h"
#include "cli/output.h"

namespace penstock::cli {

// `penstock keys`: the keys of the API, in a data directory that is made if it is missing.
Status CreateKey(const std::filesystem::path& data_dir, const std::string& name,
                 OutputFormat format);
Status ListKeys(const std::filesystem::path& data_dir, OutputFormat format);
Status DeleteKey(const std::filesystem::path& data_dir, const std::string& id, OutputFormat format);

}  // namespace penstock::cli
