#include "cli/serve_options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "cli/memory_limit.h"
#include "cli/pipe_file.h"
#include "clickhouse/url.h"

namespace penstock::cli {
namespace {

namespace fs = std::filesystem;
using Kind = ServeOption::Kind;

Failure Wrong(std::string_view what) { return Fail(ErrorCode::kInvalidArgument, "{}", what); }

// Less would be taken for a slip of the pen.
constexpr uint64_t kMemoryLimitMin = 1ULL << 20;

// Sets for members that are alike.
template <auto kMember>
Status SetPath(const std::string& value, const fs::path& folder, ServeOptions& options) {
  options.*kMember = folder / value;
  return {};
}

template <auto kMember>
Status SetPort(const std::string& value, const fs::path& /*folder*/, ServeOptions& options) {
  uint16_t port = 0;
  const char* end = value.data() + value.size();
  const auto [at, error] = std::from_chars(value.data(), end, port);
  if (error != std::errc() || at != end) return Wrong("must be a whole number from 0 to 65535");
  options.*kMember = port;
  return {};
}

Status SetSwitch(const std::string& value, bool& target) {
  if (value != "true" && value != "false") return Wrong("must be true or false");
  target = value == "true";
  return {};
}

template <auto kMember>
Status SetEndpointText(const std::string& value, const fs::path& /*folder*/,
                       ServeOptions& options) {
  options.clickhouse.*kMember = value;
  return {};
}

Status SetListen(const std::string& value, const fs::path& /*folder*/, ServeOptions& options) {
  PENSTOCK_ASSIGN(options.listen, ParseListenAddress(value));
  return {};
}

Status SetAllowedHosts(const std::string& value, const fs::path& /*folder*/,
                       ServeOptions& options) {
  options.allowed_hosts.clear();
  for (size_t begin = 0; begin < value.size();) {
    const size_t end = std::min(value.find(',', begin), value.size());
    if (end > begin) options.allowed_hosts.push_back(value.substr(begin, end - begin));
    begin = end + 1;
  }
  return {};
}

Status SetBehindProxy(const std::string& value, const fs::path& /*folder*/, ServeOptions& options) {
  return SetSwitch(value, options.behind_proxy);
}

Status SetEmbedded(const std::string& value, const fs::path& /*folder*/, ServeOptions& options) {
  return SetSwitch(value, options.embedded_clickhouse);
}

Status SetSkipVerification(const std::string& value, const fs::path& /*folder*/,
                           ServeOptions& options) {
  return SetSwitch(value, options.clickhouse.skip_cert_verification);
}

Status SetUrl(const std::string& value, const fs::path& /*folder*/, ServeOptions& options) {
  const std::string_view wrong = clickhouse::WhyNoUrl(value);
  if (!wrong.empty()) return Wrong(wrong);
  options.clickhouse.url = value;
  return {};
}

Status SetPasswordFile(const std::string& value, const fs::path& folder, ServeOptions& options) {
  PENSTOCK_ASSIGN(options.clickhouse.password, ReadPasswordFile(folder / value));
  return {};
}

Status SetCompression(const std::string& value, const fs::path& /*folder*/, ServeOptions& options) {
  for (const auto& [name, compression] : clickhouse::kCompressionNames) {
    if (name != value) continue;
    options.clickhouse.compression = compression;
    return {};
  }
  return Wrong("must be one of: auto, none, lz4, zstd");
}

Status SetMetaNames(const std::string& value, const fs::path& /*folder*/, ServeOptions& options) {
  for (const auto& [name, names] : clickhouse::kMetaNames) {
    if (name != value) continue;
    options.meta_names = names;
    return {};
  }
  return Wrong("must be one of: penstock, peerdb");
}

Status SetMemoryLimit(const std::string& value, const fs::path& /*folder*/, ServeOptions& options) {
  PENSTOCK_ASSIGN(const uint64_t bytes, ParseBytes(value));
  if (bytes < kMemoryLimitMin) return Wrong("must be 1MiB or more");
  options.memory_limit_bytes = bytes;
  return {};
}

Status SetLogLevelOption(const std::string& value, const fs::path& /*folder*/,
                         ServeOptions& options) {
  const auto level = ParseLogLevel(value);
  if (!level) return Wrong("must be one of: debug, info, warning, error");
  options.log_level = *level;
  return {};
}

Status SetLogFormatOption(const std::string& value, const fs::path& /*folder*/,
                          ServeOptions& options) {
  const auto format = ParseLogFormat(value);
  if (!format) return Wrong("must be one of: text, json");
  options.log_format = *format;
  return {};
}

constexpr ServeOption kTable[] = {
    {"dataDir", Kind::kText, false,
     "Where everything is kept (~/.local/share/penstock; of root /var/lib/penstock)",
     SetPath<&ServeOptions::data_dir>},
    {"listen", Kind::kText, false, "HOST:PORT of the API (127.0.0.1:8124)", SetListen},
    {"allowedHosts", Kind::kList, false,
     "Names of this server, beside localhost and its addresses, that a request may be for",
     SetAllowedHosts},
    {"tls.cert", Kind::kText, false,
     "Certificate of the API with its chain, in PEM; a changed file is taken over by itself",
     SetPath<&ServeOptions::tls_certificate>},
    {"tls.key", Kind::kText, false, "The certificate's key, in PEM",
     SetPath<&ServeOptions::tls_key>},
    {"behindProxy", Kind::kSwitch, false,
     "A proxy before this server has the certificate: listen in plain text on any address",
     SetBehindProxy},
    {"secretKeyFile", Kind::kText, false, "Key that seals passwords (made in the data directory)",
     SetPath<&ServeOptions::secret_key_file>},
    {"secrets.dir", Kind::kText, false,
     "Folder of the files that passwordFile of a request may name (none)",
     SetPath<&ServeOptions::secrets_dir>},
    {"memory.limit", Kind::kText, false,
     "Memory for rows in all pipes, as 512MiB (a quarter of what there is, at most 1GiB)",
     SetMemoryLimit},
    {"log.level", Kind::kText, true, "debug, info, warning or error (info)", SetLogLevelOption},
    {"log.format", Kind::kText, true, "text or json (text)", SetLogFormatOption},
    {"log.file", Kind::kText, true, "Where the log is appended to (standard error)",
     SetPath<&ServeOptions::log_file>},
    {"embeddedClickhouse", Kind::kSwitch, false, "Start a ClickHouse of our own as the destination",
     SetEmbedded},
    {"clickhouse.httpPort", Kind::kText, false, "Of the embedded ClickHouse (any free port)",
     SetPort<&ServeOptions::clickhouse_http_port>},
    {"clickhouse.tcpPort", Kind::kText, false, "Of the embedded ClickHouse (any free port)",
     SetPort<&ServeOptions::clickhouse_tcp_port>},
    {"clickhouse.url", Kind::kText, false, "Destination of pipes that name none", SetUrl},
    {"clickhouse.user", Kind::kText, false,
     "Its user (default); the password is read from PENSTOCK_CLICKHOUSE_PASSWORD",
     SetEndpointText<&clickhouse::Endpoint::user>},
    {"clickhouse.password", Kind::kNotFlag, false, "The user's password",
     SetEndpointText<&clickhouse::Endpoint::password>},
    {"clickhouse.passwordFile", Kind::kText, false, "A file with that password", SetPasswordFile},
    {"clickhouse.caCertificate", Kind::kNotFlag, false,
     "What its certificate is verified against, in PEM (the system's authorities)",
     SetEndpointText<&clickhouse::Endpoint::ca_certificate>},
    {"clickhouse.skipCertVerification", Kind::kSwitch, false,
     "Believe whatever certificate it shows", SetSkipVerification},
    {"clickhouse.compression", Kind::kText, false, "auto, none, lz4 or zstd (auto)",
     SetCompression},
    {"metaColumns", Kind::kText, false,
     "penstock (_penstock_version and its like) or peerdb (_peerdb_version …), in all tables "
     "(penstock)",
     SetMetaNames},
};

// "clickhouse.httpPort": each of its words, as `put` makes of it, behind `separator`.
std::string Words(std::string_view key, char separator, int (*put)(int)) {
  std::string words;
  for (const char c : key) {
    if (c == '.' || std::isupper(static_cast<unsigned char>(c)) != 0) words += separator;
    if (c != '.') words += static_cast<char>(put(c));
  }
  return words;
}

}  // namespace

std::string ServeOption::Flag() const {
  return kind == Kind::kNotFlag ? "" : "--" + Words(key, '-', std::tolower);
}

std::string ServeOption::Variable() const { return "PENSTOCK_" + Words(key, '_', std::toupper); }

std::span<const ServeOption> ServeOptionTable() { return kTable; }

const ServeOption* FindServeOption(std::string_view key) {
  const auto* found = std::ranges::find(kTable, key, &ServeOption::key);
  return found == std::end(kTable) ? nullptr : found;
}

Status CheckServeOptions(const ServeOptions& options) {
  const clickhouse::Endpoint& endpoint = options.clickhouse;
  if (endpoint.url.empty() && (endpoint.user != "default" || !endpoint.password.empty())) {
    return Wrong("clickhouse.user and clickhouse.password need clickhouse.url");
  }
  if (options.embedded_clickhouse && !endpoint.url.empty()) {
    return Wrong("give embeddedClickhouse or clickhouse.url, not both");
  }
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    return Wrong("tls.cert and tls.key need each other");
  }
  return {};
}

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

fs::path DefaultDataDir() {
  if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data == '/') {
    return fs::path(data) / "penstock";
  }
  const char* home = std::getenv("HOME");
  if (::geteuid() == 0 || home == nullptr || *home != '/') return "/var/lib/penstock";
  return fs::path(home) / ".local" / "share" / "penstock";
}

}  // namespace penstock::cli
