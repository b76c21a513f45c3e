#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/clock.h"
#include "base/status.h"

namespace penstock::catalog {

// Writes a tar archive (POSIX.1-1988, "ustar") of regular files of mode 0600, which any `tar -x`
// reads. It has its name only once it is whole and on the disk: what is left unfinished is removed.
// One thread. Errors are kExhausted (a full disk) or kNeedsUser.
class TarFile {
 public:
  // kConflict: there is such a file.
  static Result<TarFile> Make(const std::filesystem::path& path, UnixMicros modified_at);
  ~TarFile();
  TarFile(TarFile&& other) noexcept;
  TarFile& operator=(TarFile&&) = delete;

  // The file that `fd` has open, read from its beginning to the size it has now. `name` is
  // relative, of at most 100 bytes.
  Status Add(const std::string& name, int fd);
  Status Finish();
  // What it is until then.
  const std::filesystem::path& unfinished() const { return part_; }

 private:
  TarFile(std::filesystem::path path, std::filesystem::path part, int fd, int64_t seconds)
      : path_(std::move(path)), part_(std::move(part)), fd_(fd), modified_seconds_(seconds) {}
  Status Write(const char* bytes, size_t size) const;

  const std::filesystem::path path_;
  const std::filesystem::path part_;
  int fd_;
  const int64_t modified_seconds_;
};

}  // namespace penstock::catalog
