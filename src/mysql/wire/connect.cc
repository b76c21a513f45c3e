#include "mysql/wire/connect.h"

#include <mysql.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "base/clock.h"
#include "mysql/wire/errors.h"
#include "mysql/wire/tls_gate.h"

namespace penstock::mysql {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// libmariadb connects on a stack of its own while we wait; name lookup and TLS need room.
constexpr size_t kConnectStackBytes = 512 * 1024;

// Plugins that never show the password to the server, or only encrypted.
constexpr char kPluginsSafe[] =
    "penstock_tls_gate,mysql_native_password,caching_sha2_password,sha256_password,client_ed25519";
// With a verified certificate the server may also ask for the password itself (PAM, LDAP, IAM).
constexpr char kPluginsVerified[] =
    "penstock_tls_gate,mysql_native_password,caching_sha2_password,sha256_password,client_ed25519,"
    "mysql_clear_password";

// A file that libmariadb can read the PEM text from, on no disk.
class PemFile {
 public:
  explicit PemFile(std::string_view pem) : fd_(::memfd_create("ca.pem", MFD_CLOEXEC)) {
    while (fd_ >= 0 && !pem.empty()) {
      const ssize_t written = ::write(fd_, pem.data(), pem.size());
      if (written <= 0) break;
      pem.remove_prefix(static_cast<size_t>(written));
    }
    ok_ = fd_ >= 0 && pem.empty();
  }
  ~PemFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  PemFile(const PemFile&) = delete;
  PemFile& operator=(const PemFile&) = delete;

  bool ok() const { return ok_; }
  std::string path() const { return fmt::format("/proc/self/fd/{}", fd_); }

 private:
  int fd_;
  bool ok_ = false;
};

bool IsSocketPath(std::string_view host) { return host.starts_with('/'); }

void SetOptions(MYSQL* mysql, const Endpoint& endpoint, std::string_view purpose) {
  const auto seconds = [](std::chrono::seconds value) {
    return static_cast<unsigned int>(std::max<int64_t>(1, value.count()));
  };
  const unsigned int connect_timeout = seconds(endpoint.connect_timeout);
  const unsigned int io_timeout = seconds(endpoint.io_timeout);
  mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout);
  mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &io_timeout);
  mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &io_timeout);
  mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &kPacketBytesMax);
  mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  // A server may ask any client for any file with LOAD DATA LOCAL, unless the client says no.
  const unsigned int local_infile = 0;
  mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &local_infile);
  const unsigned int protocol =
      IsSocketPath(endpoint.host) ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
  mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
  if (endpoint.use_compression) mysql_options(mysql, MYSQL_OPT_COMPRESS, nullptr);
  const std::string program(purpose);
  mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", program.c_str());
  mysql_options(mysql, MYSQL_OPT_NONBLOCK, &kConnectStackBytes);
}

void SetTls(MYSQL* mysql, const Endpoint& endpoint, const TlsGate& gate, const PemFile& ca) {
  const my_bool yes = 1;
  mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
  gate.Install(mysql);
  if (endpoint.skip_cert_verification) return;
  mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
  if (!endpoint.ca_certificate.empty()) {
    mysql_options(mysql, MYSQL_OPT_SSL_CA, ca.path().c_str());
  }
}

// Waits for what a suspended libmariadb call waits for; what happened, in its own bits.
int WaitFor(MYSQL* mysql, int events, SteadyTime deadline, SocketBreaker& breaker) {
  const int socket = mysql_get_socket(mysql);
  breaker.Watch(socket);
  const auto left = duration_cast<milliseconds>(deadline - Clock::Real().Steady());
  if (breaker.broken() || left.count() <= 0) return MYSQL_WAIT_TIMEOUT;
  pollfd wait{.fd = socket, .events = 0, .revents = 0};
  if ((events & MYSQL_WAIT_READ) != 0) wait.events |= POLLIN;
  if ((events & MYSQL_WAIT_WRITE) != 0) wait.events |= POLLOUT;
  if (::poll(&wait, 1, static_cast<int>(left.count())) <= 0 || breaker.broken()) {
    return MYSQL_WAIT_TIMEOUT;
  }
  return events & (MYSQL_WAIT_READ | MYSQL_WAIT_WRITE);
}

bool ConnectWithin(MYSQL* mysql, const Endpoint& endpoint, const std::string& host,
                   SocketBreaker& breaker) {
  const bool local = IsSocketPath(host);
  const SteadyTime deadline = Clock::Real().Steady() + endpoint.connect_timeout;
  MYSQL* connected = nullptr;
  int events =
      mysql_real_connect_start(&connected, mysql, local ? nullptr : host.c_str(),
                               endpoint.user.c_str(), endpoint.password.c_str(), nullptr,
                               local ? 0U : endpoint.port, local ? host.c_str() : nullptr, 0);
  while (events != 0) {
    const int happened = WaitFor(mysql, events, deadline, breaker);
    events = mysql_real_connect_cont(&connected, mysql, happened);
  }
  return connected != nullptr;
}

// Asks a peer that has been silent for twenty seconds whether it is still there: a server that
// computes for long says nothing, and is told from one that is gone.
void KeepAlive(int socket) {
  const std::array<std::array<int, 3>, 4> options = {{{SOL_SOCKET, SO_KEEPALIVE, 1},
                                                      {IPPROTO_TCP, TCP_KEEPIDLE, 20},
                                                      {IPPROTO_TCP, TCP_KEEPINTVL, 10},
                                                      {IPPROTO_TCP, TCP_KEEPCNT, 3}}};
  // Without them only the time-outs are left, which is no failure.
  for (const auto& [level, name, value] : options) {
    ::setsockopt(socket, level, name, &value, sizeof(value));
  }
}

// With a remedy that takes into account how the connection was asked for.
Error ConnectError(MYSQL* mysql, const Endpoint& endpoint) {
  constexpr int kAccessDenied = 1045;
  constexpr std::array kNoGreeting = {2013, 2027};  // lost; malformed
  Error error = LastError(mysql);
  if (std::ranges::count(kNoGreeting, error.native_code) != 0) {
    error.remedy = "Check host and port, and that what listens there is MySQL or MariaDB";
  } else if (error.native_code == kAccessDenied && endpoint.disable_tls) {
    error.remedy += "; a user made with REQUIRE SSL needs TLS: leave disableTls out";
  }
  return error;
}

}  // namespace

void MysqlCloser::operator()(st_mysql* mysql) const { mysql_close(mysql); }

Error LastError(st_mysql* mysql) {
  return SourceError(static_cast<int>(mysql_errno(mysql)), mysql_error(mysql));
}

Result<std::string> PlainHost(std::string_view host) {
  if (IsSocketPath(host)) return std::string(host);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':' || c == '%';
  };
  if (host.empty() || !std::ranges::all_of(host, allowed)) {
    return Fail(ErrorCode::kInvalidArgument,
                "source host '{}' is neither a host name, an IP address nor an absolute path",
                host);
  }
  return std::string(host);
}

Result<std::string> CertificateName(const Endpoint& endpoint) {
  return endpoint.tls_host.empty() ? PlainHost(endpoint.host) : PlainHost(endpoint.tls_host);
}

Result<MysqlHandle> Connect(const Endpoint& endpoint, std::string_view purpose,
                            SocketBreaker& breaker) {
  static std::once_flag library_started;
  std::call_once(library_started, [] { mysql_server_init(0, nullptr, nullptr); });

  PENSTOCK_ASSIGN(const std::string host, PlainHost(endpoint.host));
  MysqlHandle mysql(mysql_init(nullptr));
  if (mysql == nullptr) return Fail(ErrorCode::kExhausted, "no memory for a source connection");
  SetOptions(mysql.get(), endpoint, purpose);

  const bool tls = !endpoint.disable_tls && !IsSocketPath(host);
  TlsGate gate;
  const PemFile ca(endpoint.ca_certificate);
  if (tls) {
    PENSTOCK_ASSIGN(gate.certificate_name, CertificateName(endpoint));
    if (!ca.ok()) return Fail(ErrorCode::kExhausted, "no memory for the CA certificate");
    SetTls(mysql.get(), endpoint, gate, ca);
  }
  const bool verified = tls && !endpoint.skip_cert_verification;
  mysql_options(mysql.get(), MARIADB_OPT_RESTRICTED_AUTH,
                verified ? kPluginsVerified : kPluginsSafe);

  if (!ConnectWithin(mysql.get(), endpoint, host, breaker)) {
    return Fail(ConnectError(mysql.get(), endpoint));
  }
  const int socket = mysql_get_socket(mysql.get());
  breaker.Watch(socket);
  if (!IsSocketPath(host)) KeepAlive(socket);
  return mysql;
}

}  // namespace penstock::mysql
