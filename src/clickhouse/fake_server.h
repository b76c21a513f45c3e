#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/check.h"

namespace penstock::clickhouse {

// For tests: a scripted HTTP server on a free port of loopback, which does what no real server can
// be made to do. It serves one connection at a time, on a thread of its own.
class FakeServer {
 public:
  struct Request {
    std::string head;  // request line and headers
    std::string body;  // chunks put together
  };

  class Connection {
   public:
    explicit Connection(int socket) : socket_(socket) {}
    ~Connection() { close(socket_); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Request line and headers; nothing when the client has closed.
    std::optional<std::string> ReadHead() {
      size_t end = 0;
      while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
        if (!Fill()) return std::nullopt;
      }
      return Take(end + 4);
    }
    std::optional<Request> ReadRequest() {
      std::optional<std::string> head = ReadHead();
      if (!head) return std::nullopt;
      Request request{.head = std::move(*head), .body = ""};
      if (const size_t at = request.head.find("Content-Length: "); at != std::string::npos) {
        request.body = Take(std::strtoul(request.head.c_str() + at + 16, nullptr, 10));
      } else if (request.head.find("Transfer-Encoding: chunked") != std::string::npos) {
        request.body = TakeChunks();
      }
      return request;
    }
    void Send(std::string_view bytes) {
      while (!bytes.empty()) {
        const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        bytes.remove_prefix(static_cast<size_t>(sent));
      }
    }
    // As ClickHouse answers.
    void Reply(int status, std::string_view body, std::string_view more_headers = "") {
      Send(
          fmt::format("HTTP/1.1 {} X\r\nX-ClickHouse-Query-Id: q\r\n{}Content-Length: {}\r\n\r\n{}",
                      status, more_headers, body.size(), body));
    }
    // What comes until the client closes.
    std::string ReadAll() {
      while (Fill()) {
      }
      return std::exchange(received_, {});
    }
    void WaitUntilClosed() {
      while (Fill()) received_.clear();
    }
    // The client sees a reset instead of an end.
    void Reset() {
      const linger at_once{.l_onoff = 1, .l_linger = 0};
      setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    }

   private:
    bool Fill() {
      std::array<char, 65536> buffer{};
      const ssize_t count = recv(socket_, buffer.data(), buffer.size(), 0);
      if (count <= 0) return false;
      received_.append(buffer.data(), static_cast<size_t>(count));
      return true;
    }
    std::string Take(size_t count) {
      while (received_.size() < count && Fill()) {
      }
      std::string taken = received_.substr(0, count);
      received_.erase(0, taken.size());
      return taken;
    }
    std::string TakeChunks() {
      std::string body;
      while (true) {
        while (received_.find("\r\n") == std::string::npos && Fill()) {
        }
        const std::string line = Take(received_.find("\r\n") + 2);
        const size_t size = std::strtoul(line.c_str(), nullptr, 16);
        body += Take(size);
        Take(2);
        if (size == 0) return body;
      }
    }

    const int socket_;
    std::string received_;
  };

  explicit FakeServer(std::function<void(Connection&)> serve) : serve_(std::move(serve)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    PENSTOCK_CHECK(bind(listener_, generic, size) == 0 && listen(listener_, 16) == 0);
    PENSTOCK_CHECK(getsockname(listener_, generic, &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { Run(); });
  }
  ~FakeServer() {
    shutdown(listener_, SHUT_RDWR);  // wakes accept
    thread_.join();
    close(listener_);
  }

  std::string url() const { return fmt::format("http://127.0.0.1:{}", port_); }
  int port() const { return port_; }

 private:
  void Run() {
    while (true) {
      const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) return;
      Connection connection(socket);
      serve_(connection);
    }
  }

  const std::function<void(Connection&)> serve_;
  int listener_ = -1;
  int port_ = 0;
  std::jthread thread_;
};

}  // namespace penstock::clickhouse
