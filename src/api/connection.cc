#include "api/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace penstock::api {
namespace {

constexpr std::chrono::milliseconds kLingerTime{500};

}  // namespace

OpenConnections::Handle OpenConnections::Add(int socket) {
  MutexLock lock(mutex_);
  return entries_.insert(entries_.end(), Entry{.socket = socket});
}

void OpenConnections::Remove(Handle handle) {
  MutexLock lock(mutex_);
  entries_.erase(handle);
}

void OpenConnections::CutOldest() {
  MutexLock lock(mutex_);
  for (Entry& entry : entries_) {
    if (entry.cut) continue;
    entry.cut = true;
    ::shutdown(entry.socket, SHUT_RD);
    return;
  }
}

void OpenConnections::CutAll() {
  MutexLock lock(mutex_);
  for (const Entry& entry : entries_) ::shutdown(entry.socket, SHUT_RD);
}

DeadlineStream::DeadlineStream(int socket, const Limits& limits, std::unique_ptr<TlsSession> tls)
    : socket_(socket),
      tls_(std::move(tls)),
      limits_(limits),
      receive_deadline_(Clock::Real().Steady() + limits.receive_timeout) {}

DeadlineStream::~DeadlineStream() { Release(); }

void DeadlineStream::Release() { *limits_.received_bytes -= std::exchange(received_, 0); }

bool DeadlineStream::Await(short events, SteadyTime deadline) const {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::Real().Steady());
    pollfd waiting{.fd = socket_, .events = events, .revents = 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::max<int64_t>(0, left.count())));
    if (ready < 0 && errno == EINTR) continue;
    return ready > 0;
  }
}

bool DeadlineStream::is_readable() const {
  if (buffer_begin_ < buffer_end_ || (tls_ && tls_->HasPending())) return true;
  return Await(POLLIN, receive_deadline_);
}

bool DeadlineStream::is_writable() const { return Await(POLLOUT, send_deadline_); }

ssize_t DeadlineStream::Receive() {
  if (!tls_) {
    if (!Await(POLLIN, receive_deadline_)) return -1;
    return ::recv(socket_, buffer_.data(), buffer_.size(), 0);
  }
  for (;;) {
    const ssize_t size = tls_->Read(buffer_.data(), buffer_.size());
    if (size >= 0) return size;
    if (!Await(static_cast<short>(-size), receive_deadline_)) return -1;
  }
}

ssize_t DeadlineStream::Fill() {
  const ssize_t size = Receive();
  if (size <= 0) return size;
  const auto bytes = static_cast<size_t>(size);
  received_ += bytes;
  const size_t everyone = limits_.received_bytes->fetch_add(bytes) + bytes;
  if (received_ > limits_.request_bytes_max || everyone > limits_.received_bytes_max) return -1;
  buffer_begin_ = 0;
  buffer_end_ = bytes;
  return size;
}

ssize_t DeadlineStream::read(char* bytes, size_t size) {
  if (buffer_begin_ == buffer_end_) {
    const ssize_t filled = Fill();
    if (filled <= 0) return filled;
  }
  const size_t taken = std::min(size, buffer_end_ - buffer_begin_);
  std::memcpy(bytes, buffer_.data() + buffer_begin_, taken);
  buffer_begin_ += taken;
  return static_cast<ssize_t>(taken);
}

ssize_t DeadlineStream::write(const char* bytes, size_t size) {
  if (send_deadline_ == SteadyTime()) {
    send_deadline_ = Clock::Real().Steady() + limits_.send_timeout;
  }
  while (tls_) {
    const ssize_t written = tls_->Write(bytes, size);
    if (written > 0) return written;
    if (written == 0 || !Await(static_cast<short>(-written), send_deadline_)) return -1;
  }
  if (!Await(POLLOUT, send_deadline_)) return -1;
  return ::send(socket_, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void DeadlineStream::ProlongAnswer() {
  send_deadline_ = Clock::Real().Steady() + limits_.send_timeout;
}

// Addresses would only be of use to handlers that look at them; ours do not.
void DeadlineStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

void DeadlineStream::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

bool DeadlineStream::ClientIsGone() const {
  pollfd look{.fd = socket_, .events = POLLRDHUP, .revents = 0};
  return ::poll(&look, 1, 0) > 0;
}

void DeadlineStream::Linger() {
  if (send_deadline_ == SteadyTime()) return;  // nothing was written
  Release();
  if (tls_) tls_->SayGoodbye();
  ::shutdown(socket_, SHUT_WR);
  const SteadyTime deadline = Clock::Real().Steady() + kLingerTime;
  while (Await(POLLIN, deadline)) {
    if (::recv(socket_, buffer_.data(), buffer_.size(), 0) <= 0) return;
  }
}

}  // namespace penstock::api
