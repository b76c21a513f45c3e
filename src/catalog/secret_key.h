#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/status.h"

namespace penstock::catalog {

// The key that seals what the catalog must not show: 32 bytes, in a file of 64 hexadecimal digits.
// Safe from any thread once made.
class SecretKey {
 public:
  // kNotFound: no such file. kNeedsUser: unreadable, or not a key. A file that others can read is
  // used, with a warning in the log.
  static Result<SecretKey> Load(const std::filesystem::path& file);
  // Makes a new key and its file with mode 0600: all of it or nothing. kConflict: it exists.
  static Result<SecretKey> Create(const std::filesystem::path& file);
  ~SecretKey();  // wipes the bytes
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;

  // Encrypts and authenticates; the same text is sealed differently each time.
  std::string Seal(std::string_view text) const;
  // kNeedsUser: sealed with another key, or altered.
  Result<std::string> Unseal(std::string_view sealed) const;

 private:
  SecretKey() = default;
  std::array<unsigned char, 32> bytes_{};
};

}  // namespace penstock::catalog
