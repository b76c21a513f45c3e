#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"

namespace penstock::api {

// A key of the API as it is kept: the secret only as its scrypt hash.
struct StoredKey {
  std::string id;
  std::string name;  // what its maker calls it; may be empty
  UnixMicros created_at{};
  std::string salt;  // bytes
  std::string hash;  // bytes
};

struct NewKey {
  std::string id;
  std::string secret;  // told once
};

// The file of keys in a data directory, of mode 0600, written whole. A server that runs sees a
// change by itself.
class KeyFile {
 public:
  explicit KeyFile(std::filesystem::path path) : path_(std::move(path)) {}
  static std::filesystem::path In(const std::filesystem::path& data_dir);

  // None where there is no file.
  Result<std::vector<StoredKey>> Load() const;
  Result<NewKey> Create(const std::string& name) const;
  Status Delete(const std::string& id) const;  // kNotFound

 private:
  Status Save(const std::vector<StoredKey>& keys) const;

  const std::filesystem::path path_;
};

// Who may use the API: holders of a key, once there is any. Safe from any thread.
class KeyGuard {
 public:
  enum class Verdict : uint8_t {
    kAdmitted,
    kNoKey,  // none was given
    kWrong,
    kBusy,  // too many secrets are being checked at once
  };
  struct Options {
    std::filesystem::path file;
    bool required = false;  // nobody is admitted without a key, even while there is none
  };
  explicit KeyGuard(Options options) : options_(std::move(options)) {}

  // The value of the header Authorization, "Basic …". A secret that was right before is known again
  // without its slow hash.
  Verdict Check(const std::string& authorization) EXCLUDES(mutex_, hashing_);
  bool has_keys() EXCLUDES(mutex_);

 private:
  // What tells one state of the file from another.
  using Stamp = std::array<int64_t, 4>;
  Stamp StampNow() const;
  void ReloadIfChanged() REQUIRES(mutex_);
  Verdict CheckSlowly(const StoredKey& key, const std::string& secret) EXCLUDES(mutex_, hashing_);
  void CountRefusal(const std::string& id) EXCLUDES(mutex_);
  std::string QuickHash(const std::string& secret) const;

  const Options options_;
  Mutex mutex_;
  Stamp stamp_ GUARDED_BY(mutex_) = {};
  bool is_readable_ GUARDED_BY(mutex_) = true;
  std::map<std::string, StoredKey> keys_ GUARDED_BY(mutex_);
  std::map<std::string, std::string> known_ GUARDED_BY(mutex_);  // id -> QuickHash of its secret
  size_t waiting_ GUARDED_BY(mutex_) = 0;
  uint64_t refused_ GUARDED_BY(mutex_) = 0;  // since it was logged
  std::optional<SteadyTime> logged_at_ GUARDED_BY(mutex_);
  Mutex hashing_;  // one slow hash at a time: each takes 16 MiB
  const std::string quick_key_ = RandomBytes();

  static std::string RandomBytes();
};

}  // namespace penstock::api
