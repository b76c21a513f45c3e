#pragma once

#include <filesystem>
#include <memory>

#include "base/status.h"

namespace penstock::catalog {

// Holds the data directory for this process until destroyed (or killed: the system then lets go of
// the lock). The folder is made if missing and has mode 0700.
class DataDir {
 public:
  // kConflict: another process holds it. kNeedsUser: it cannot be made or written, or it is open
  // to other users and holds files that are not ours.
  static Result<std::unique_ptr<DataDir>> Hold(const std::filesystem::path& path);
  ~DataDir();

 private:
  explicit DataDir(int lock_fd) : lock_fd_(lock_fd) {}
  const int lock_fd_;
};

}  // namespace penstock::catalog
