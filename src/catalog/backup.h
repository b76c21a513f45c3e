#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "catalog/sqlite.h"

namespace penstock::catalog {

struct BackupOptions {
  std::filesystem::path data_dir;
  std::filesystem::path file;  // to be made
  // Of the data directory, beside the catalog; those that are not there are left out.
  std::vector<std::string> other_files;
  Clock* clock = &Clock::Real();
};

struct BackupReport {
  uint64_t pipes = 0;
  uint64_t bytes = 0;              // of the file
  std::vector<std::string> files;  // in it
};

// Makes a tar archive of the catalog as it is at one moment, with what it names outside of it (the
// changes of prepared XA transactions), whether or not a server runs on the data directory, which
// is not held up. Unpacked into an empty folder it is a data directory. kNeedsUser: there is no
// catalog; kConflict: the file exists.
Result<BackupReport> BackUp(const BackupOptions& options);

// At the first opening of a catalog that was restored: an event of each pipe tells of it. To be
// called before anything else is written.
Status NoteRestore(Sqlite& database, UnixMicros now);

}  // namespace penstock::catalog
