#pragma once

#include <filesystem>

#include "base/status.h"
#include "cli/output.h"

namespace penstock::cli {

struct BackupRequest {
  std::filesystem::path data_dir;
  std::filesystem::path file;
  bool with_secret_key = false;  // what opens the passwords in it
  OutputFormat format = OutputFormat::kTable;
};

// `penstock backup`: catalog::BackUp, and what is in the file to stdout.
Status BackUpDataDir(const BackupRequest& request);

}  // namespace penstock::cli
