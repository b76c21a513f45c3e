#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <optional>

#include "base/mutex.h"

namespace penstock::mysql {

// Ends a blocking call on a socket from another thread. Keeps a descriptor of its own: libmariadb
// closes its descriptor as it likes, and the number could by then be someone else's. Safe from any
// thread.
class SocketBreaker {
 public:
  SocketBreaker() = default;
  ~SocketBreaker() { Close(); }
  SocketBreaker(const SocketBreaker&) = delete;
  SocketBreaker& operator=(const SocketBreaker&) = delete;

  // The socket to break from now on, instead of an earlier one.
  void Watch(int socket) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (socket_ >= 0) ::close(socket_);
    socket_ = socket < 0 ? -1 : ::dup(socket);
    if (broken_ && socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
  }
  // For good: whatever waits on the socket wakes, and every later call on it fails.
  void Break() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    broken_ = true;
    if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
  }
  bool broken() const EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return broken_;
  }
  void Close() EXCLUDES(mutex_) { Watch(-1); }

  // How long ago data came last; nullopt for what is no TCP socket.
  std::optional<std::chrono::milliseconds> Silence() const EXCLUDES(mutex_) {
    tcp_info info{};
    socklen_t length = sizeof(info);
    MutexLock lock(mutex_);
    if (::getsockopt(socket_, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return std::nullopt;
    return std::chrono::milliseconds(info.tcpi_last_data_recv);
  }

  // Of this end; 0 for what is no TCP socket.
  uint16_t ClientPort() const EXCLUDES(mutex_) {
    sockaddr_storage address{};
    socklen_t length = sizeof(address);
    MutexLock lock(mutex_);
    const auto* const any = reinterpret_cast<const sockaddr*>(&address);
    if (::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
    if (any->sa_family == AF_INET) {
      return ntohs(reinterpret_cast<const sockaddr_in*>(any)->sin_port);
    }
    if (any->sa_family == AF_INET6) {
      return ntohs(reinterpret_cast<const sockaddr_in6*>(any)->sin6_port);
    }
    return 0;
  }

 private:
  mutable Mutex mutex_;
  int socket_ GUARDED_BY(mutex_) = -1;
  bool broken_ GUARDED_BY(mutex_) = false;
};

}  // namespace penstock::mysql
