#include "catalog/secret_key.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "base/check.h"
#include "base/random.h"
#include "obs/log.h"

namespace penstock::catalog {
namespace {

namespace fs = std::filesystem;

static_assert(crypto_secretbox_KEYBYTES == 32);
constexpr size_t kKeyDigits = 64;

void InitSodium() { PENSTOCK_CHECK(sodium_init() >= 0); }

unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Failure KeyFailure(const fs::path& file, std::string_view what) {
  return Fail(Error{.code = ErrorCode::kNeedsUser,
                    .message = fmt::format("secret key file {}: {}", file.string(), what),
                    .origin = "catalog",
                    .remedy = "Name the key file this catalog was made with by "
                              "--secret-key-file"});
}

// Closes the file, and removes it unless it was kept: what is left of an attempt that failed.
class TemporaryFile {
 public:
  explicit TemporaryFile(fs::path path)
      : path_(std::move(path)),
        fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {}
  ~TemporaryFile() {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  bool Write(std::string_view text) const {
    return fd_ >= 0 &&
           ::write(fd_, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
           ::fsync(fd_) == 0;
  }
  const fs::path& path() const { return path_; }

 private:
  const fs::path path_;
  const int fd_;
};

bool SyncFolder(const fs::path& folder) {
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool synced = ::fsync(fd) == 0;
  ::close(fd);
  return synced;
}

}  // namespace

SecretKey::~SecretKey() { sodium_memzero(bytes_.data(), bytes_.size()); }

Result<SecretKey> SecretKey::Load(const fs::path& file) {
  InitSodium();
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) return Fail(ErrorCode::kNotFound, "no secret key file {}", file.string());
    return KeyFailure(file, std::strerror(errno));
  }
  std::array<char, kKeyDigits + 8> text{};
  const ssize_t size = ::read(fd, text.data(), text.size());
  struct stat info {};
  const bool known = ::fstat(fd, &info) == 0;
  ::close(fd);
  if (size < 0) return KeyFailure(file, "cannot be read");
  if (known && (info.st_mode & 0077) != 0) {
    LogWarning("", "secret key file {} is open to other users (mode {:04o}): chmod 600 it",
               file.string(), info.st_mode & 07777);
  }
  SecretKey key;
  size_t decoded = 0;
  const char* end = nullptr;
  const int status = sodium_hex2bin(key.bytes_.data(), key.bytes_.size(), text.data(),
                                    static_cast<size_t>(size), "\r\n", &decoded, &end);
  sodium_memzero(text.data(), text.size());
  if (status != 0 || decoded != key.bytes_.size() || end != text.data() + size) {
    return KeyFailure(file, "is not a key (64 hexadecimal digits)");
  }
  return key;
}

Result<SecretKey> SecretKey::Create(const fs::path& file) {
  InitSodium();
  SecretKey key;
  randombytes_buf(key.bytes_.data(), key.bytes_.size());
  std::array<char, kKeyDigits + 1> text{};
  sodium_bin2hex(text.data(), text.size(), key.bytes_.data(), key.bytes_.size());
  text[kKeyDigits] = '\n';

  const TemporaryFile temporary(fs::path(file) += "." + RandomUuid());
  const bool written = temporary.Write({text.data(), text.size()});
  const int write_errno = errno;
  sodium_memzero(text.data(), text.size());
  if (!written) return KeyFailure(file, std::strerror(write_errno));
  // Unlike a rename, a link never replaces a key that appeared meanwhile.
  if (::link(temporary.path().c_str(), file.c_str()) != 0) {
    if (errno != EEXIST) return KeyFailure(file, std::strerror(errno));
    return Fail(ErrorCode::kConflict, "secret key file {} exists", file.string());
  }
  if (!SyncFolder(file.parent_path())) return KeyFailure(file, std::strerror(errno));
  return key;
}

std::string SecretKey::Seal(std::string_view text) const {
  std::string sealed(crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + text.size(), '\0');
  randombytes_buf(sealed.data(), crypto_secretbox_NONCEBYTES);
  crypto_secretbox_easy(Bytes(sealed) + crypto_secretbox_NONCEBYTES, Bytes(text), text.size(),
                        Bytes(sealed), bytes_.data());
  return sealed;
}

Result<std::string> SecretKey::Unseal(std::string_view sealed) const {
  constexpr size_t kOverhead = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
  if (sealed.size() >= kOverhead) {
    std::string text(sealed.size() - kOverhead, '\0');
    if (crypto_secretbox_open_easy(Bytes(text), Bytes(sealed) + crypto_secretbox_NONCEBYTES,
                                   sealed.size() - crypto_secretbox_NONCEBYTES, Bytes(sealed),
                                   bytes_.data()) == 0) {
      return text;
    }
  }
  return Fail(Error{.code = ErrorCode::kNeedsUser,
                    .message = "the secret key does not open what the catalog holds",
                    .origin = "catalog",
                    .remedy = "Name the key file this catalog was made with by "
                              "--secret-key-file"});
}

}  // namespace penstock::catalog
