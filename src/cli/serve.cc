#include "cli/serve.h"

#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "api/keys.h"
#include "api/server.h"
#include "api/tls.h"
#include "catalog/catalog.h"
#include "cli/memory_limit.h"
#include "cli/output.h"
#include "clickhouse/ddl.h"
#include "clickhouse/embedded_server.h"
#include "obs/log.h"
#include "pipe/supervisor.h"

namespace penstock::cli {
namespace {

std::string UrlOf(const ServeOptions& options, uint16_t port) {
  const std::string& host = options.listen.host;
  const bool ipv6 = host.find(':') != std::string::npos;
  return fmt::format("{}://{}:{}", options.tls_certificate.empty() ? "http" : "https",
                     ipv6 ? "[" + host + "]" : host, port);
}

// Sockets of clients, sources and destinations may be more than the customary 1,024.
void AllowManyFiles() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 65'536);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

// Who can be reached from elsewhere asks for keys, and does not let them be overheard.
Status CheckReach(const ServeOptions& options) {
  const std::string& host = options.listen.host;
  if (IsLoopback(host) && !options.behind_proxy) return {};
  PENSTOCK_ASSIGN(const auto keys, api::KeyFile(api::KeyFile::In(options.data_dir)).Load());
  if (keys.empty()) {
    return Fail(
        {.code = ErrorCode::kNeedsUser,
         .message = fmt::format("whoever reaches {} could use the API, as there are no keys", host),
         .remedy = fmt::format("Make one with `penstock keys create --data-dir {}`, or "
                               "listen on 127.0.0.1",
                               options.data_dir.string())});
  }
  if (!options.tls_certificate.empty() || options.behind_proxy) return {};
  return Fail({.code = ErrorCode::kNeedsUser,
               .message = fmt::format("keys sent to {} in plain text could be overheard", host),
               .remedy = "Give tls.cert and tls.key, or behindProxy where a proxy before this "
                         "server has them, or listen on 127.0.0.1"});
}

// Else each request that names a file in it would fail.
Status CheckSecretsDir(const std::filesystem::path& folder) {
  std::error_code error;
  if (folder.empty() || std::filesystem::is_directory(folder, error)) return {};
  return Fail({.code = ErrorCode::kNeedsUser,
               .message = fmt::format("secrets.dir: there is no folder {}", folder.string()),
               .remedy = "Make it, readable for this user alone"});
}

Result<std::shared_ptr<api::TlsContext>> LoadTls(const ServeOptions& options) {
  if (options.tls_certificate.empty()) return nullptr;
  return api::TlsContext::Load({.certificate = options.tls_certificate, .key = options.tls_key});
}

Result<std::unique_ptr<clickhouse::EmbeddedServer>> StartClickHouse(const ServeOptions& options,
                                                                    std::stop_token stop) {
  if (!options.embedded_clickhouse) return nullptr;
  return clickhouse::EmbeddedServer::Start({.data_dir = (options.data_dir / "clickhouse").string(),
                                            .http_port = options.clickhouse_http_port,
                                            .tcp_port = options.clickhouse_tcp_port},
                                           std::move(stop));
}

void PrintStart(const ServeOptions& options, const catalog::Catalog& catalog, uint16_t port,
                const clickhouse::EmbeddedServer* embedded) {
  std::string text =
      fmt::format("penstock {} listens on {}\n", PENSTOCK_VERSION, UrlOf(options, port));
  text += fmt::format("  organization  {}\n  service       {}\n", catalog.organization_id(),
                      catalog.service_id());
  text += fmt::format("  data          {}\n", options.data_dir.string());
  const auto keys = api::KeyFile(api::KeyFile::In(options.data_dir)).Load();
  if (keys && keys->empty()) {
    text +=
        "  keys          none: every program on this machine may use the API; `penstock keys "
        "create` makes one\n";
  }
  if (embedded != nullptr) {
    text += fmt::format("  clickhouse    {} (embedded; native protocol on port {})\n",
                        embedded->endpoint().url, embedded->tcp_port());
  } else if (!options.clickhouse.url.empty()) {
    text += fmt::format("  clickhouse    {}\n", options.clickhouse.url);
  }
  Print(text);
}

// The meta columns of the tables that pipes have made keep their names.
Status SettleMetaNames(catalog::Catalog& catalog, clickhouse::MetaNames names) {
  constexpr char kSetting[] = "meta_columns";
  std::string wanted;
  for (const auto& [name, value] : clickhouse::kMetaNames) {
    if (value == names) wanted = name;
  }
  PENSTOCK_ASSIGN(const auto pipes, catalog.Pipes());
  PENSTOCK_ASSIGN(std::string stored, catalog.Setting(kSetting));
  if (stored.empty()) stored = clickhouse::kMetaNames[0].first;
  clickhouse::UseMetaNames(names);
  if (stored == wanted) return {};
  if (pipes.empty()) return catalog.SaveSetting(kSetting, wanted);
  return Fail({.code = ErrorCode::kNeedsUser,
               .message = fmt::format("metaColumns is {}, and the tables of this data "
                                      "directory's pipes were made with {}",
                                      wanted, stored),
               .remedy = fmt::format(
                   "Start it with metaColumns: {}, or with another data directory", stored)});
}

// Opens the log file anew in any case.
Status SetUpLog(const ServeOptions& options) {
  SetLogLevel(options.log_level);
  SetLogFormat(options.log_format);
  return SetLogFile(options.log_file);
}

// Takes over what may change while the server runs.
void Reload(const ServeSources& sources, ServeConfig& running) {
  const auto now = LoadServeConfig(sources);
  if (now) running.options = now->options;
  const Status logs = SetUpLog(running.options);
  if (!logs) LogError("", "{}", logs.error().ToString());
  if (!now) return LogError("", "the configuration stays as it is: {}", now.error().ToString());
  for (const std::string_view key : NeedRestart(running, *now)) {
    LogWarning("", "{} has changed: that is taken over by a restart only", key);
  }
  LogInfo("", "the configuration is read again");
}

}  // namespace

Status Serve(const ServeSources& sources, Signals& signals) {
  signals.TakeHangups();
  PENSTOCK_ASSIGN(ServeConfig config, LoadServeConfig(sources));
  ServeOptions options = config.options;
  PENSTOCK_TRY(SetUpLog(options));
  AllowManyFiles();
  if (options.data_dir.empty()) options.data_dir = DefaultDataDir();
  PENSTOCK_TRY(CheckReach(options));
  PENSTOCK_TRY(CheckSecretsDir(options.secrets_dir));
  PENSTOCK_ASSIGN(auto tls, LoadTls(options));
  // Each part outlives those below it.
  PENSTOCK_ASSIGN(const std::unique_ptr<catalog::Catalog> catalog,
                  catalog::Catalog::Open(
                      {.data_dir = options.data_dir, .secret_key_file = options.secret_key_file}));
  PENSTOCK_TRY(SettleMetaNames(*catalog, options.meta_names));
  PENSTOCK_ASSIGN(const std::unique_ptr<clickhouse::EmbeddedServer> embedded,
                  StartClickHouse(options, signals.stop()));
  pipe::Supervisor::Options supervised;
  supervised.catalog = catalog.get();
  supervised.data_dir = options.data_dir;
  supervised.secrets_dir = options.secrets_dir;
  supervised.has_default_destination = embedded != nullptr || !options.clickhouse.url.empty();
  supervised.default_is_embedded = embedded != nullptr;
  if (embedded) supervised.default_destination = embedded->endpoint();
  if (!options.clickhouse.url.empty()) supervised.default_destination = options.clickhouse;
  supervised.memory_limit_bytes =
      options.memory_limit_bytes != 0 ? options.memory_limit_bytes : DefaultMemoryLimitBytes();
  if (options.test_limits) supervised.limits = pipe::Limits::ForTests();
  pipe::Supervisor supervisor(std::move(supervised));
  PENSTOCK_TRY(supervisor.Start());
  PENSTOCK_ASSIGN(const std::unique_ptr<api::Server> server,
                  api::Server::Start({.host = options.listen.host,
                                      .port = options.listen.port,
                                      .organization_id = catalog->organization_id(),
                                      .service_id = catalog->service_id(),
                                      .supervisor = &supervisor,
                                      .allowed_hosts = options.allowed_hosts,
                                      .keys = {.file = api::KeyFile::In(options.data_dir),
                                               .required = !IsLoopback(options.listen.host) ||
                                                           options.behind_proxy},
                                      .tls = std::move(tls)}));
  PrintStart(options, *catalog, server->port(), embedded.get());
  while (signals.AwaitHangup()) Reload(sources, config);
  LogInfo("", "stopping");
  return {};
}

}  // namespace penstock::cli
