#include "catalog/tar_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <numeric>
#include <system_error>
#include <utility>

namespace penstock::catalog {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBlock = 512;
constexpr size_t kNameMax = 100;
constexpr uint64_t kSizeMax = (uint64_t{1} << 33) - 1;  // eleven octal digits

using Block = std::array<char, kBlock>;

Failure FileFailure(const fs::path& path, const char* what, int error_number) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  return Fail(
      {.code = full ? ErrorCode::kExhausted : ErrorCode::kNeedsUser,
       .message = fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(error_number)),
       .origin = "disk",
       .remedy = full ? "Free space on its disk"
                      : "Name a file in a folder that this user "
                        "can write"});
}

// The header of POSIX.1-1988, "ustar Interchange Format".
Block Header(const std::string& name, uint64_t size, int64_t modified_seconds) {
  Block block{};
  const auto put = [&](size_t at, std::string_view text) { text.copy(&block[at], text.size()); };
  put(0, name);
  put(100, "0000600");
  put(108, "0000000");  // user and group: tar gives it to whoever unpacks it
  put(116, "0000000");
  put(124, fmt::format("{:011o}", size));
  put(136, fmt::format("{:011o}", modified_seconds));
  put(148, "        ");  // of the checksum, while it is summed up
  put(156, "0");         // a regular file
  put(257, std::string_view("ustar\00000", 8));
  const unsigned sum = std::accumulate(block.begin(), block.end(), 0U, [](unsigned total, char c) {
    return total + static_cast<unsigned char>(c);
  });
  put(148, fmt::format("{:06o}", sum));
  block[154] = '\0';
  return block;
}

}  // namespace

Result<TarFile> TarFile::Make(const fs::path& path, UnixMicros modified_at) {
  std::error_code ignored;
  if (fs::exists(path, ignored)) {
    return Fail({.code = ErrorCode::kConflict,
                 .message = fmt::format("{} exists", path.string()),
                 .origin = "disk",
                 .remedy = "Name another file, or remove it"});
  }
  std::string part = path.string() + ".XXXXXX";  // of a name that nobody could have made before
  const int fd = ::mkostemp(part.data(), O_CLOEXEC);
  if (fd < 0) return FileFailure(part, "make", errno);
  return TarFile(path, std::move(part), fd, modified_at.count() / 1'000'000);
}

TarFile::TarFile(TarFile&& other) noexcept
    : path_(other.path_),
      part_(other.part_),
      fd_(std::exchange(other.fd_, -1)),
      modified_seconds_(other.modified_seconds_) {}

TarFile::~TarFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(part_.c_str());
}

Status TarFile::Write(const char* bytes, size_t size) const {
  while (size != 0) {
    const ssize_t written = ::write(fd_, bytes, size);
    if (written < 0) return FileFailure(part_, "write", errno);
    bytes += written;
    size -= static_cast<size_t>(written);
  }
  return {};
}

Status TarFile::Add(const std::string& name, int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return FileFailure(name, "look at", errno);
  const auto size = static_cast<uint64_t>(info.st_size);
  if (name.size() > kNameMax || size > kSizeMax) {
    return Fail({.code = ErrorCode::kExhausted,
                 .message = fmt::format("{} is longer than an archive can hold (8 GiB)", name),
                 .origin = "disk",
                 .remedy = "Copy the data directory while the server is stopped"});
  }
  const Block header = Header(name, size, modified_seconds_);
  PENSTOCK_TRY(Write(header.data(), header.size()));
  const auto buffer = std::make_unique<std::array<char, 64 * kBlock>>();
  for (uint64_t at = 0; at < size;) {
    const uint64_t wanted = std::min<uint64_t>(buffer->size(), size - at);
    const ssize_t got = ::pread(fd, buffer->data(), wanted, static_cast<off_t>(at));
    if (got <= 0) return FileFailure(name, "read", got < 0 ? errno : EIO);
    PENSTOCK_TRY(Write(buffer->data(), static_cast<size_t>(got)));
    at += static_cast<uint64_t>(got);
  }
  const Block zeros{};
  return Write(zeros.data(), (kBlock - size % kBlock) % kBlock);
}

Status TarFile::Finish() {
  const std::array<Block, 2> end{};
  PENSTOCK_TRY(Write(end[0].data(), sizeof(end)));
  if (::fsync(fd_) != 0) return FileFailure(part_, "write", errno);
  if (::rename(part_.c_str(), path_.c_str()) != 0) return FileFailure(path_, "make", errno);
  ::close(std::exchange(fd_, -1));
  return {};
}

}  // namespace penstock::catalog
