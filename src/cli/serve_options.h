#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "clickhouse/client.h"
#include "obs/log.h"

namespace penstock::cli {

struct ListenAddress {
  std::string host = "127.0.0.1";  // IPv6 without brackets
  uint16_t port = 8124;            // 0: any free port
};

// "HOST:PORT", "[IPV6]:PORT"
Result<ListenAddress> ParseListenAddress(const std::string& text);

// What `penstock serve` runs with. The file of --config has the same names in camel case; what the
// command line says goes before it.
struct ServeOptions {
  ListenAddress listen;
  std::vector<std::string> allowed_hosts;
  std::filesystem::path data_dir;         // empty: DefaultDataDir()
  std::filesystem::path secret_key_file;  // empty: in the data directory
  LogLevel log_level = LogLevel::kInfo;
  bool embedded_clickhouse = false;
  uint16_t clickhouse_http_port = 0;  // of the embedded one; 0: any free port
  uint16_t clickhouse_tcp_port = 0;
  std::optional<clickhouse::Endpoint> clickhouse;  // where pipes without their own go to
  uint64_t memory_limit_bytes = 0;                 // 0: DefaultMemoryLimitBytes()
  bool test_limits = false;  // pipe::Limits::ForTests(); from the command line alone
};

// Reads a YAML file over `options`. An unknown key or a wrong value is kInvalidArgument, named by
// its path.
Status ReadServeConfig(const std::filesystem::path& file, ServeOptions& options);

// $XDG_DATA_HOME/penstock, else ~/.local/share/penstock; of root /var/lib/penstock.
std::filesystem::path DefaultDataDir();

}  // namespace penstock::cli
