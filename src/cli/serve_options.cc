#include "cli/serve_options.h"

#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/memory_limit.h"
#include "cli/pipe_file.h"
#include "cli/yaml.h"
#include "pipe/json_fields.h"

namespace penstock::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using pipe::ObjectReader;

constexpr size_t kCertificateBytesMax = 1'000'000;
constexpr std::string_view kLogLevels = "must be one of: debug, info, warning, error";

void ReadListen(ObjectReader& object, ListenAddress& listen) {
  std::string text;
  object.ReadText("listen", {}, text);
  if (text.empty()) return;
  Result<ListenAddress> parsed = ParseListenAddress(text);
  if (!parsed) return object.Fail("listen", parsed.error().message);
  listen = *std::move(parsed);
}

void ReadLogLevel(ObjectReader& object, LogLevel& level) {
  std::string text;
  object.ReadText("logLevel", {}, text);
  if (text.empty()) return;
  const std::optional<LogLevel> parsed = ParseLogLevel(text);
  if (!parsed) return object.Fail("logLevel", kLogLevels);
  level = *parsed;
}

void ReadPath(ObjectReader& object, const char* key, const fs::path& folder, fs::path& path) {
  std::string text;
  object.ReadText(key, {.bytes_max = 4096}, text);
  if (!text.empty()) path = folder / text;
}

void ReadPort(ObjectReader& object, const char* key, uint16_t& port) {
  if (const auto number = object.ReadNumber(key, {.min = 0, .max = UINT16_MAX})) {
    port = static_cast<uint16_t>(*number);
  }
}

void ReadClickHouse(const json& given, std::optional<Error>& error, ServeOptions& options) {
  ObjectReader object(given, "clickhouse", error);
  ReadPort(object, "httpPort", options.clickhouse_http_port);
  ReadPort(object, "tcpPort", options.clickhouse_tcp_port);
  clickhouse::Endpoint endpoint;
  object.ReadText("url", {}, endpoint.url);
  object.ReadText("user", {}, endpoint.user);
  object.ReadText("password", {}, endpoint.password);
  object.ReadText("caCertificate", {.bytes_max = kCertificateBytesMax}, endpoint.ca_certificate);
  object.ReadBool("skipCertVerification", endpoint.skip_cert_verification);
  pipe::FieldReader(object, endpoint)
      .Choice("compression", &clickhouse::Endpoint::compression,
              pipe::Choices<std::optional<clickhouse::Compression>>(clickhouse::kCompressionNames));
  object.RefuseOthers();
  if (given.contains("url")) options.clickhouse = std::move(endpoint);
}

void ReadMemory(const json& given, std::optional<Error>& error, uint64_t& limit_bytes) {
  ObjectReader object(given, "memory", error);
  if (const json* limit = object.Find("limit", pipe::Presence::kOptional)) {
    const std::string text = limit->is_string() ? limit->get<std::string>() : limit->dump();
    const Result<uint64_t> bytes = ParseBytes(text);
    if (bytes) limit_bytes = *bytes;
    if (!bytes) object.Fail("limit", bytes.error().message);
  }
  object.RefuseOthers();
}

void ReadConfig(const json& given, const fs::path& folder, std::optional<Error>& error,
                ServeOptions& options) {
  ObjectReader object(given, "", error);
  ReadListen(object, options.listen);
  object.ReadTexts("allowedHosts", options.allowed_hosts);
  ReadPath(object, "dataDir", folder, options.data_dir);
  ReadPath(object, "secretKeyFile", folder, options.secret_key_file);
  ReadLogLevel(object, options.log_level);
  object.ReadBool("embeddedClickhouse", options.embedded_clickhouse);
  if (const json* found = object.Find("clickhouse", pipe::Presence::kOptional)) {
    ReadClickHouse(*found, error, options);
  }
  if (const json* found = object.Find("memory", pipe::Presence::kOptional)) {
    ReadMemory(*found, error, options.memory_limit_bytes);
  }
  object.RefuseOthers();
}

}  // namespace

Result<ListenAddress> ParseListenAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  uint16_t port = 0;
  const char* end = text.data() + text.size();
  const char* begin = colon == std::string::npos ? end : text.data() + colon + 1;
  const auto [at, error] = std::from_chars(begin, end, port);
  const bool is_name = bracketed || host.find_first_of(":[]") == std::string::npos;
  if (host.empty() || !is_name || error != std::errc() || at != end) {
    return Fail(ErrorCode::kInvalidArgument, "must be HOST:PORT, as in 127.0.0.1:8124");
  }
  return ListenAddress{.host = std::move(host), .port = port};
}

Status ReadServeConfig(const fs::path& file, ServeOptions& options) {
  PENSTOCK_ASSIGN(json given, ReadYamlFile(file));
  if (given.is_null()) return {};  // an empty file
  const fs::path folder = file.parent_path();
  if (given.is_object() && given.contains("clickhouse")) {
    PENSTOCK_TRY(ResolvePassword(given["clickhouse"], folder, "clickhouse"));
  }
  std::optional<Error> error;
  ReadConfig(given, folder, error, options);
  if (error) return Fail(error->In(file.string()));
  return {};
}

fs::path DefaultDataDir() {
  if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data == '/') {
    return fs::path(data) / "penstock";
  }
  const char* home = std::getenv("HOME");
  if (::geteuid() == 0 || home == nullptr || *home != '/') return "/var/lib/penstock";
  return fs::path(home) / ".local" / "share" / "penstock";
}

}  // namespace penstock::cli
