#include "api/tls.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <climits>
#include <cstring>

#include "obs/log.h"

namespace penstock::api {
namespace {

int Bounded(size_t size) { return static_cast<int>(std::min<size_t>(size, INT_MAX)); }

std::string OpenSslText() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? "cannot be read" : reason;
}

Failure FileFailure(const std::filesystem::path& path) {
  return Fail(Error{.code = ErrorCode::kNeedsUser,
                    .message = fmt::format("{}: {}", path.string(), OpenSslText()),
                    .remedy = "tls.cert and tls.key name PEM files that this user may read"});
}

}  // namespace

TlsSession::~TlsSession() { SSL_free(ssl_); }

ssize_t TlsSession::OutcomeOf(int done) const {
  if (done > 0) return done;
  switch (SSL_get_error(ssl_, done)) {
    case SSL_ERROR_WANT_READ:
      return -POLLIN;
    case SSL_ERROR_WANT_WRITE:
      return -POLLOUT;
    default:
      return 0;
  }
}

ssize_t TlsSession::Read(char* bytes, size_t size) {
  ERR_clear_error();
  return OutcomeOf(SSL_read(ssl_, bytes, Bounded(size)));
}

ssize_t TlsSession::Write(const char* bytes, size_t size) {
  ERR_clear_error();
  return OutcomeOf(SSL_write(ssl_, bytes, Bounded(size)));
}

bool TlsSession::HasPending() const { return SSL_pending(ssl_) > 0; }

void TlsSession::SayGoodbye() {
  ERR_clear_error();
  if (SSL_is_init_finished(ssl_) == 1) SSL_shutdown(ssl_);
  ERR_clear_error();
}

Result<TlsContext::Context> TlsContext::Read(const Files& files) {
  Context context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return Fail(ErrorCode::kExhausted, "out of memory");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1) {
    return FileFailure(files.certificate);
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return FileFailure(files.key);
  }
  if (SSL_CTX_check_private_key(context.get()) != 1) return FileFailure(files.key);
  return context;
}

TlsContext::Stamp TlsContext::StampOf(const Files& files) {
  Stamp stamp{};
  size_t next = 0;
  for (const auto* path : {&files.certificate, &files.key}) {
    struct stat info {};
    if (::stat(path->c_str(), &info) != 0) continue;
    stamp[next++] = info.st_mtim.tv_sec;
    stamp[next++] = info.st_mtim.tv_nsec;
    stamp[next++] = static_cast<int64_t>(info.st_ino);
  }
  return stamp;
}

Result<std::shared_ptr<TlsContext>> TlsContext::Load(const Files& files) {
  const Stamp stamp = StampOf(files);
  PENSTOCK_ASSIGN(Context context, Read(files));
  return std::shared_ptr<TlsContext>(new TlsContext(files, stamp, std::move(context)));
}

std::unique_ptr<TlsSession> TlsContext::Accept(int socket) {
  Context context;
  {
    MutexLock lock(mutex_);
    const Stamp now = StampOf(files_);
    if (now != stamp_) {
      stamp_ = now;
      const auto read = Read(files_);
      if (read) context_ = *read;
      LogInfo("", "the certificate has changed{}",
              read ? "" : "; the old one stays: " + read.error().ToString());
    }
    context = context_;
  }
  const int flags = ::fcntl(socket, F_GETFL);
  SSL* ssl = SSL_new(context.get());
  if (ssl == nullptr || flags < 0 || ::fcntl(socket, F_SETFL, flags | O_NONBLOCK) != 0 ||
      SSL_set_fd(ssl, socket) != 1) {
    SSL_free(ssl);
    return nullptr;
  }
  SSL_set_accept_state(ssl);
  return std::make_unique<TlsSession>(ssl);
}

}  // namespace penstock::api
