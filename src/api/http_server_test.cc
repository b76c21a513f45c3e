#include "api/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace penstock::api {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::StartsWith;

// A connection that speaks bytes.
class Connection {
 public:
  explicit Connection(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~Connection() { ::close(socket_); }
  Connection(Connection&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), connected_(other.connected_) {}
  Connection& operator=(Connection&&) = delete;

  bool connected() const { return connected_; }
  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  // All that comes until the other side closes, or `time` has passed (then nothing).
  std::optional<std::string> Receive(milliseconds time = milliseconds(10'000)) {
    std::string text;
    const SteadyTime deadline = Clock::Real().Steady() + time;
    for (;;) {
      const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::Real().Steady()).count();
      pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
      if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) <= 0) return std::nullopt;
      char bytes[4096];
      const ssize_t size = ::recv(socket_, bytes, sizeof(bytes), 0);
      if (size <= 0) return text;
      text.append(bytes, static_cast<size_t>(size));
    }
  }

 private:
  int socket_;
  bool connected_ = false;
};

class HttpServerTest : public testing::Test {
 protected:
  void Start(HttpServer::Options options = {}) {
    options.host = "127.0.0.1";
    options.admit = [](const HttpRequest& head) -> std::optional<Refusal> {
      if (head.path == "/forbidden") return Refusal{.status = 403, .message = "forbidden"};
      return std::nullopt;
    };
    options.handle = [](const HttpRequest& request) {
      if (request.path == "/throw") throw std::runtime_error("thrown");
      return HttpResponse{
          .body = fmt::format("{} {} {} bytes", request.method, request.path, request.body.size())};
    };
    options.error = [](const Refusal& refusal) {
      return HttpResponse{.status = refusal.status, .body = "refused: " + refusal.message};
    };
    auto server = HttpServer::Start(std::move(options));
    ASSERT_TRUE(server) << server.error().ToString();
    server_ = *std::move(server);
  }
  Connection Connect() const { return Connection(server_->port()); }
  std::string Ask(std::string_view request) const {
    Connection connection = Connect();
    connection.Send(request);
    return connection.Receive().value_or("no answer");
  }

  std::unique_ptr<HttpServer> server_;
};

constexpr const char* kGet = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(HttpServerTest, AnswersRequests) {
  Start();
  EXPECT_THAT(Ask(kGet), HasSubstr("GET /health 0 bytes"));
  EXPECT_THAT(Ask("POST /a%20b?c=d HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"),
              HasSubstr("POST /a b 3 bytes"));
  EXPECT_THAT(Ask("PATCH /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
              HasSubstr("PATCH /p 5 bytes"));
}

TEST_F(HttpServerTest, OneRequestPerConnection) {
  Start();
  const std::string answer = Ask(fmt::format("{0}{0}", kGet));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos);
}

TEST_F(HttpServerTest, RefusesByTheHeadAlone) {
  Start();
  EXPECT_THAT(Ask("POST /forbidden HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"),
              HasSubstr("refused: forbidden"));
  EXPECT_THAT(Ask("GET /" + std::string(5000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n"),
              StartsWith("HTTP/1.1 414"));
  EXPECT_THAT(Ask("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask("DELETE /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"),
              StartsWith("HTTP/1.1 400"));
}

TEST_F(HttpServerTest, LargeBodiesAreRefused) {
  HttpServer::Options options;
  options.body_bytes_max = 1000;
  Start(std::move(options));
  const std::string body(2000, 'x');
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\n";
  EXPECT_THAT(Ask(head + "Content-Length: 2000\r\n\r\n" + body), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(Ask(head + "Transfer-Encoding: chunked\r\n\r\n7d0\r\n" + body + "\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(Ask(head + "Content-Length: 1000\r\n\r\n" + body.substr(1000)),
              HasSubstr("1000 bytes"));
}

TEST_F(HttpServerTest, EndlessHeadersAreCut) {
  Start();
  Connection connection = Connect();
  connection.Send("GET / HTTP/1.1\r\n");
  std::string headers;
  for (int i = 0; i < 1000; ++i) headers += fmt::format("X-{}: {}\r\n", i, std::string(90, 'x'));
  for (int i = 0; i < 50; ++i) connection.Send(headers);
  EXPECT_TRUE(connection.Receive());
}

TEST_F(HttpServerTest, WhatIsReceivedAtOnceIsLimited) {
  HttpServer::Options options;
  options.received_bytes_max = 100'000;
  Start(std::move(options));
  const std::string begun =
      fmt::format("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 80000\r\n\r\n{:x<60000}", "");
  Connection first = Connect();
  first.Send(begun);
  Connection second = Connect();
  second.Send(begun);
  // Together they are beyond the limit: at least the one whose bytes came last is cut.
  bool cut = false;
  while (!cut) {
    cut = first.Receive(milliseconds(20)).has_value() || second.Receive(milliseconds(20));
  }
  EXPECT_THAT(Ask(kGet), HasSubstr("GET /health"));
}

TEST_F(HttpServerTest, AnExceptionIsAnAnswer) {
  Start();
  testing::internal::CaptureStderr();
  const std::string answer = Ask("GET /throw HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("thrown"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500"));
  EXPECT_EQ(answer.find("thrown"), std::string::npos);
}

TEST_F(HttpServerTest, ARequestHasToArriveInTime) {
  HttpServer::Options options;
  options.receive_timeout = milliseconds(300);
  Start(std::move(options));
  Connection slow = Connect();
  slow.Send("GET / HTTP/1.1\r\n");
  std::jthread drip([&](std::stop_token stop) {
    while (Clock::Real().Wait(milliseconds(50), stop)) slow.Send("X");
  });
  EXPECT_TRUE(slow.Receive(milliseconds(5'000)));
}

// Fewer clients than there may be threads, even if each still has its own at the end: none has to
// make room for another.
TEST_F(HttpServerTest, ABurstOfConnectionsIsAnswered) {
  Start();
  for (int round = 0; round < 3; ++round) {
    std::vector<Connection> clients;
    for (int i = 0; i < 40; ++i) clients.push_back(Connect());
    for (Connection& client : clients) {
      client.Send(kGet);
      EXPECT_THAT(client.Receive().value_or("no answer"), HasSubstr("GET /health 0 bytes"));
    }
  }
}

// More clients than threads, each of which sends a byte now and then: whoever asks is answered.
TEST_F(HttpServerTest, SlowClientsStopNobody) {
  HttpServer::Options options;
  options.receive_timeout = std::chrono::minutes(10);
  Start(std::move(options));
  std::vector<Connection> slow;
  for (int i = 0; i < 300; ++i) {
    slow.push_back(Connect());
    ASSERT_TRUE(slow.back().connected());
    slow.back().Send(i % 2 == 0 ? "GET /health HT"
                                : "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n{");
  }
  std::jthread drip([&](std::stop_token stop) {
    while (Clock::Real().Wait(milliseconds(200), stop)) {
      for (Connection& connection : slow) connection.Send("x");
    }
  });
  for (int i = 0; i < 20; ++i) {
    Connection quick = Connect();
    quick.Send(kGet);
    const auto answer = quick.Receive(milliseconds(20'000));
    ASSERT_TRUE(answer) << "request " << i;
    EXPECT_THAT(*answer, HasSubstr("GET /health 0 bytes"));
  }
}

TEST_F(HttpServerTest, StopsBesideSlowClients) {
  HttpServer::Options options;
  options.receive_timeout = std::chrono::minutes(10);
  Start(std::move(options));
  std::vector<Connection> slow;
  for (int i = 0; i < 10; ++i) {
    slow.push_back(Connect());
    slow.back().Send("GET /");
  }
  const SteadyTime begin = Clock::Real().Steady();
  server_.reset();
  EXPECT_LT(Clock::Real().Steady() - begin, std::chrono::seconds(5));
}

TEST_F(HttpServerTest, ATakenPortIsSaid) {
  Start();
  HttpServer::Options options;
  options.host = "127.0.0.1";
  options.port = server_->port();
  const auto second = HttpServer::Start(std::move(options));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict) << second.error().ToString();
  HttpServer::Options nowhere;
  nowhere.host = "192.0.2.1";
  EXPECT_EQ(HttpServer::Start(std::move(nowhere)).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace penstock::api
