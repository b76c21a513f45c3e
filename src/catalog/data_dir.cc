#include "catalog/data_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace penstock::catalog {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLockFile = "penstock.lock";

Failure DiskFailure(const fs::path& path, const char* what, int error_number) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  return Fail(Error{
      .code = full ? ErrorCode::kExhausted : ErrorCode::kNeedsUser,
      .message = fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(error_number)),
      .origin = "catalog",
      .remedy = full ? "Free space on the disk of the data directory"
                     : "Name a folder this user can write with --data-dir"});
}

// An existing folder is closed to other users only when that cannot take it away from somebody: it
// is empty, or was ours before.
Status CloseToOthers(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return DiskFailure(path, "look at", errno);
  if ((info.st_mode & 0077) == 0) return {};
  std::error_code error;
  if (!fs::is_empty(path, error) && !fs::exists(path / kLockFile, error)) {
    return Fail(Error{.code = ErrorCode::kNeedsUser,
                      .message = fmt::format("data directory {} is open to other users (mode "
                                             "{:04o}) and holds other files",
                                             path.string(), info.st_mode & 07777),
                      .origin = "catalog",
                      .remedy = "Name an empty or a new folder, or take the others' rights away "
                                "with chmod 700"});
  }
  if (::chmod(path.c_str(), 0700) != 0) return DiskFailure(path, "change the mode of", errno);
  return {};
}

std::string ReadHolder(int fd) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  std::string pid(text.data(), size > 0 ? static_cast<size_t>(size) : 0);
  while (!pid.empty() && pid.back() == '\n') pid.pop_back();
  return pid.empty() ? "unknown" : pid;
}

}  // namespace

Result<std::unique_ptr<DataDir>> DataDir::Hold(const fs::path& path) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  if (error) return DiskFailure(path, "make", error.value());
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return DiskFailure(path, "make", errno);
  PENSTOCK_TRY(CloseToOthers(path));

  const fs::path lock_file = path / kLockFile;
  const int fd = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return DiskFailure(lock_file, "open", errno);
  std::unique_ptr<DataDir> held(new DataDir(fd));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return DiskFailure(lock_file, "lock", errno);
    return Fail(Error{.code = ErrorCode::kConflict,
                      .message = fmt::format("data directory {} is used by another penstock (pid "
                                             "{})",
                                             path.string(), ReadHolder(fd)),
                      .origin = "catalog",
                      .remedy = "Stop that one, or name another folder with --data-dir"});
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd, 0) != 0 ||
      ::pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return DiskFailure(lock_file, "write", errno);
  }
  return held;
}

DataDir::~DataDir() { ::close(lock_fd_); }

}  // namespace penstock::catalog
