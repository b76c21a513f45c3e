#pragma once

#include <httplib.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <string>

#include "api/tls.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace penstock::api {

// The sockets of all connections that were accepted and not yet answered, oldest first. Safe from
// any thread.
class OpenConnections {
 public:
  struct Entry {
    int socket;
    bool cut = false;
  };
  using Handle = std::list<Entry>::iterator;

  Handle Add(int socket) EXCLUDES(mutex_);
  // Before the socket is closed, so that its number is not another's when it is cut.
  void Remove(Handle handle) EXCLUDES(mutex_);
  // Ends what is still arriving on the oldest connection that was not cut yet. A request that has
  // arrived whole is answered all the same.
  void CutOldest() EXCLUDES(mutex_);
  void CutAll() EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  std::list<Entry> entries_ GUARDED_BY(mutex_);
};

// What httplib reads a request from and writes its answer to: one socket, with a deadline for the
// whole request and one for the whole answer, where the library's own timeouts begin anew with
// every byte. One thread at a time.
class DeadlineStream final : public httplib::Stream {
 public:
  struct Limits {
    std::chrono::milliseconds receive_timeout;
    std::chrono::milliseconds send_timeout;
    size_t request_bytes_max;
    std::atomic<size_t>* received_bytes;  // by all requests; this one's are taken off at its end
    size_t received_bytes_max;
  };
  // `tls`: nullptr for a connection in plain text.
  DeadlineStream(int socket, const Limits& limits, std::unique_ptr<TlsSession> tls = nullptr);
  ~DeadlineStream() override;

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* bytes, size_t size) override;
  ssize_t write(const char* bytes, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return socket_; }

  // The time for the answer begins anew: of one that goes on.
  void ProlongAnswer();
  // The client has said that it sends no more, as one that is gone has.
  bool ClientIsGone() const;

  // Says that no more will be written, and takes what the client may still be sending for a
  // moment: closing a socket with unread bytes would destroy the answer on its way. The last call.
  void Linger();

 private:
  bool Await(short events, SteadyTime deadline) const;
  ssize_t Receive();
  ssize_t Fill();
  void Release();

  const int socket_;
  const std::unique_ptr<TlsSession> tls_;
  const Limits limits_;
  const SteadyTime receive_deadline_;
  SteadyTime send_deadline_{};  // begins with the first byte written
  size_t received_ = 0;
  std::array<char, 4096> buffer_{};
  size_t buffer_begin_ = 0;
  size_t buffer_end_ = 0;
};

}  // namespace penstock::api
