#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/mutex.h"
#include "base/status.h"

struct ssl_ctx_st;
struct ssl_st;

namespace penstock::api {

// TLS on one accepted socket, which it makes non-blocking and does not close. One thread at a time.
class TlsSession {
 public:
  explicit TlsSession(ssl_st* ssl) : ssl_(ssl) {}
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // How many bytes; 0 at the end or when it has failed; else the negative of POLLIN or POLLOUT:
  // what to wait for before the next try. The first call also shakes hands.
  ssize_t Read(char* bytes, size_t size);
  ssize_t Write(const char* bytes, size_t size);
  bool HasPending() const;  // bytes that are read off the socket already
  void SayGoodbye();

 private:
  ssize_t OutcomeOf(int done) const;
  ssl_st* const ssl_;
};

// The server's certificate and its key, from two PEM files. When these have changed, new
// connections use the new ones. Safe from any thread.
class TlsContext {
 public:
  struct Files {
    std::filesystem::path certificate;  // with the chain behind it
    std::filesystem::path key;
  };
  // kNeedsUser: they cannot be read, or do not belong together.
  static Result<std::shared_ptr<TlsContext>> Load(const Files& files);

  // nullptr: out of memory.
  std::unique_ptr<TlsSession> Accept(int socket) EXCLUDES(mutex_);

 private:
  using Context = std::shared_ptr<ssl_ctx_st>;
  using Stamp = std::array<int64_t, 6>;  // tells one state of the files from another
  TlsContext(Files files, Stamp stamp, Context context)
      : files_(std::move(files)), stamp_(stamp), context_(std::move(context)) {}
  static Result<Context> Read(const Files& files);
  static Stamp StampOf(const Files& files);

  const Files files_;
  Mutex mutex_;
  Stamp stamp_ GUARDED_BY(mutex_);
  Context context_ GUARDED_BY(mutex_);
};

}  // namespace penstock::api
