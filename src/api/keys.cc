#include "api/keys.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/hex.h"
#include "obs/log.h"

namespace penstock::api {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr size_t kSaltBytes = 16;
constexpr size_t kHashBytes = 32;
constexpr size_t kIdLetters = 20;
constexpr size_t kSecretLetters = 43;  // about 256 bits
constexpr uint64_t kScryptCost = 1 << 14;
constexpr uint64_t kScryptBlock = 8;
constexpr uint64_t kScryptMemoryMax = 64 << 20;
constexpr size_t kWaitingMax = 8;
constexpr std::chrono::seconds kLogInterval{10};
constexpr size_t kIdBytesLogged = 40;

unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* Bytes(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string Random(size_t size) {
  std::string bytes(size, '\0');
  PENSTOCK_CHECK(RAND_bytes(Bytes(bytes), static_cast<int>(size)) == 1);
  return bytes;
}

std::string RandomLetters(size_t count) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string letters = Random(count);
  for (char& letter : letters) {
    letter = kLetters[static_cast<unsigned char>(letter) % kLetters.size()];
  }
  return letters;
}

std::string SlowHash(const std::string& secret, const std::string& salt) {
  std::string hash(kHashBytes, '\0');
  const int done =
      EVP_PBE_scrypt(secret.data(), secret.size(), Bytes(salt), salt.size(), kScryptCost,
                     kScryptBlock, 1, kScryptMemoryMax, Bytes(hash), hash.size());
  PENSTOCK_CHECK(done == 1);
  return hash;
}

bool SameBytes(const std::string& a, const std::string& b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string FromHex(const std::string& digits) {
  std::string bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

// "Basic aWQ6c2VjcmV0" -> {"id", "secret"}
std::optional<NewKey> ParseBasic(const std::string& authorization) {
  constexpr std::string_view kScheme = "basic ";
  constexpr size_t kBytesMax = 1024;
  if (authorization.size() < kScheme.size() || authorization.size() > kBytesMax) return {};
  for (size_t i = 0; i < kScheme.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(authorization[i])) != kScheme[i]) return {};
  }
  std::string encoded = authorization.substr(kScheme.size());
  while (encoded.size() % 4 != 0) encoded += '=';  // some clients leave it out
  std::string decoded(encoded.size(), '\0');
  const int size =
      EVP_DecodeBlock(Bytes(decoded), Bytes(encoded), static_cast<int>(encoded.size()));
  if (size <= 0) return {};
  decoded.resize(static_cast<size_t>(size));
  // The padding decodes to zero bytes.
  const size_t padding = encoded.size() - encoded.find_last_not_of('=') - 1;
  if (padding > 2) return {};
  decoded.resize(decoded.size() - padding);
  const size_t colon = decoded.find(':');
  if (colon == std::string::npos) return {};
  return NewKey{.id = decoded.substr(0, colon), .secret = decoded.substr(colon + 1)};
}

Failure FileFailure(const fs::path& path, std::string_view what) {
  return Fail(ErrorCode::kNeedsUser, "keys of the API, {}: {}", path.string(), what);
}

// It belongs to whom the folder belongs to: the command may be root's, the server another's.
bool WriteWhole(const fs::path& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  struct stat folder {};
  if (::geteuid() == 0 && ::stat(path.parent_path().c_str(), &folder) == 0) {
    if (::fchown(fd, folder.st_uid, folder.st_gid) != 0) LogWarning("", "{}", std::strerror(errno));
  }
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(fd) == 0;
  ::close(fd);
  return written;
}

// Of changes, across processes; of the folder, as the file is replaced.
class ChangeLock {
 public:
  explicit ChangeLock(const fs::path& folder)
      : fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (fd_ >= 0) ::flock(fd_, LOCK_EX);
  }
  ~ChangeLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  ChangeLock(const ChangeLock&) = delete;
  ChangeLock& operator=(const ChangeLock&) = delete;

 private:
  const int fd_;
};

}  // namespace

fs::path KeyFile::In(const fs::path& data_dir) { return data_dir / "api-keys.json"; }

Result<std::vector<StoredKey>> KeyFile::Load() const {
  std::vector<StoredKey> keys;
  std::ifstream stream(path_, std::ios::binary);
  if (!stream) {
    if (errno == ENOENT) return keys;
    return FileFailure(path_, std::strerror(errno));
  }
  try {
    const json file = json::parse(stream);
    for (const json& object : file.at("keys")) {
      keys.push_back({.id = object.at("id").get<std::string>(),
                      .name = object.at("name").get<std::string>(),
                      .created_at = UnixMicros(object.at("createdAt").get<int64_t>()),
                      .salt = FromHex(object.at("salt").get<std::string>()),
                      .hash = FromHex(object.at("hash").get<std::string>())});
    }
  } catch (const std::exception&) {
    return FileFailure(path_, "is damaged. Remove it and make new keys");
  }
  return keys;
}

Status KeyFile::Save(const std::vector<StoredKey>& keys) const {
  json list = json::array();
  for (const StoredKey& key : keys) {
    list.push_back({{"id", key.id},
                    {"name", key.name},
                    {"createdAt", key.created_at.count()},
                    {"salt", Hex(key.salt)},
                    {"hash", Hex(key.hash)}});
  }
  const fs::path next = fs::path(path_) += ".new";
  if (!WriteWhole(next, json{{"keys", list}}.dump(1) + "\n") ||
      ::rename(next.c_str(), path_.c_str()) != 0) {
    return FileFailure(path_, std::strerror(errno));
  }
  return {};
}

Result<NewKey> KeyFile::Create(const std::string& name) const {
  const ChangeLock lock(path_.parent_path());
  PENSTOCK_ASSIGN(auto keys, Load());
  NewKey made = {.id = RandomLetters(kIdLetters), .secret = RandomLetters(kSecretLetters)};
  const std::string salt = Random(kSaltBytes);
  keys.push_back({.id = made.id,
                  .name = name,
                  .created_at = Clock::Real().Wall(),
                  .salt = salt,
                  .hash = SlowHash(made.secret, salt)});
  PENSTOCK_TRY(Save(keys));
  return made;
}

Status KeyFile::Delete(const std::string& id) const {
  const ChangeLock lock(path_.parent_path());
  PENSTOCK_ASSIGN(auto keys, Load());
  if (std::erase_if(keys, [&](const StoredKey& key) { return key.id == id; }) == 0) {
    return Fail(ErrorCode::kNotFound, "there is no key with the id {}", id);
  }
  return Save(keys);
}

std::string KeyGuard::RandomBytes() { return Random(kHashBytes); }

KeyGuard::Stamp KeyGuard::StampNow() const {
  struct stat info {};
  if (::stat(options_.file.c_str(), &info) != 0) return {};
  return {info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_size,
          static_cast<int64_t>(info.st_ino)};
}

// Keys that cannot be read admit nobody.
void KeyGuard::ReloadIfChanged() {
  const Stamp now = StampNow();
  if (now == stamp_) return;
  stamp_ = now;
  keys_.clear();
  known_.clear();
  const auto keys = KeyFile(options_.file).Load();
  is_readable_ = keys.has_value();
  if (!keys) return LogError("", "{}", keys.error().ToString());
  for (const StoredKey& key : *keys) keys_.emplace(key.id, key);
  LogInfo("", "keys of the API: {}", keys_.size());
}

bool KeyGuard::has_keys() {
  MutexLock lock(mutex_);
  ReloadIfChanged();
  return !keys_.empty() || !is_readable_;
}

std::string KeyGuard::QuickHash(const std::string& secret) const {
  std::string hash(kHashBytes, '\0');
  unsigned int size = 0;
  HMAC(EVP_sha256(), quick_key_.data(), static_cast<int>(quick_key_.size()), Bytes(secret),
       secret.size(), Bytes(hash), &size);
  return hash;
}

KeyGuard::Verdict KeyGuard::Check(const std::string& authorization) {
  const bool needed = has_keys() || options_.required;
  if (!needed) return Verdict::kAdmitted;
  if (authorization.empty()) return Verdict::kNoKey;
  const auto given = ParseBasic(authorization);
  if (!given) {
    CountRefusal("");
    return Verdict::kWrong;
  }
  StoredKey key;
  {
    MutexLock lock(mutex_);
    const auto found = keys_.find(given->id);
    if (found != keys_.end()) key = found->second;
    const auto known = known_.find(given->id);
    if (known != known_.end() && SameBytes(known->second, QuickHash(given->secret))) {
      return Verdict::kAdmitted;
    }
    if (!key.id.empty() && waiting_ >= kWaitingMax) return Verdict::kBusy;
    if (!key.id.empty()) ++waiting_;
  }
  const Verdict verdict = key.id.empty() ? Verdict::kWrong : CheckSlowly(key, given->secret);
  if (verdict == Verdict::kWrong) CountRefusal(given->id);
  return verdict;
}

KeyGuard::Verdict KeyGuard::CheckSlowly(const StoredKey& key, const std::string& secret) {
  std::string hash;
  {
    MutexLock lock(hashing_);
    hash = SlowHash(secret, key.salt);
  }
  MutexLock lock(mutex_);
  --waiting_;
  if (!SameBytes(hash, key.hash)) return Verdict::kWrong;
  // Unless the key was deleted meanwhile.
  if (keys_.contains(key.id)) known_[key.id] = QuickHash(secret);
  return Verdict::kAdmitted;
}

// What is logged is the id alone, and seldom.
void KeyGuard::CountRefusal(const std::string& id) {
  MutexLock lock(mutex_);
  ++refused_;
  const SteadyTime now = Clock::Real().Steady();
  if (logged_at_ && now - *logged_at_ < kLogInterval) return;
  LogWarning("", "requests refused for a wrong key: {}; the last one's key id is \"{}\"", refused_,
             id.substr(0, kIdBytesLogged));
  logged_at_ = now;
  refused_ = 0;
}

}  // namespace penstock::api
