#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "clickhouse/client.h"
#include "clickhouse/ddl.h"
#include "obs/log.h"

namespace penstock::cli {

struct ListenAddress {
  std::string host = "127.0.0.1";  // IPv6 without brackets
  uint16_t port = 8124;            // 0: any free port
};

// "HOST:PORT", "[IPV6]:PORT"
Result<ListenAddress> ParseListenAddress(const std::string& text);

// What `penstock serve` runs with.
struct ServeOptions {
  ListenAddress listen;
  std::vector<std::string> allowed_hosts;
  std::filesystem::path tls_certificate;  // both, or neither: the API in plain text
  std::filesystem::path tls_key;
  bool behind_proxy = false;              // which is reached by TLS in our stead
  std::filesystem::path data_dir;         // empty: DefaultDataDir()
  std::filesystem::path secret_key_file;  // empty: in the data directory
  std::filesystem::path secrets_dir;      // empty: requests name no files
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kText;
  std::filesystem::path log_file;  // empty: stderr
  bool embedded_clickhouse = false;
  uint16_t clickhouse_http_port = 0;  // of the embedded one; 0: any free port
  uint16_t clickhouse_tcp_port = 0;
  clickhouse::Endpoint clickhouse{.url = ""};  // where pipes without their own go to; no URL: none
  uint64_t memory_limit_bytes = 0;             // 0: DefaultMemoryLimitBytes()
  clickhouse::MetaNames meta_names = clickhouse::MetaNames::kPenstock;
  bool test_limits = false;  // pipe::Limits::ForTests(); from the command line alone
};

// What may be set, each by a key of the configuration file, a flag and an environment variable.
struct ServeOption {
  enum class Kind : uint8_t {
    kText,
    kSwitch,   // true or false; the flag alone is true
    kList,     // with commas between the elements; the file has a list, the flag may be repeated
    kNotFlag,  // secrets, which others would see in the list of processes, and long texts
  };
  std::string_view key;  // "log.level"
  Kind kind;
  bool at_run_time;  // a changed value is taken over on SIGHUP
  std::string_view help;
  // `folder`: what relative paths are relative to.
  Status (*set)(const std::string& value, const std::filesystem::path& folder,
                ServeOptions& options);

  std::string Flag() const;      // "--log-level"
  std::string Variable() const;  // "PENSTOCK_LOG_LEVEL"
};

// All there is, in the order of the documentation.
std::span<const ServeOption> ServeOptionTable();
// nullptr: there is none.
const ServeOption* FindServeOption(std::string_view key);

// kInvalidArgument where the options contradict each other.
Status CheckServeOptions(const ServeOptions& options);

// $XDG_DATA_HOME/penstock, else ~/.local/share/penstock; of root /var/lib/penstock.
std::filesystem::path DefaultDataDir();

}  // namespace penstock::cli
