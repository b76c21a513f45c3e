#include "api/http_server.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <exception>
#include <thread>
#include <utility>

#include "api/connection.h"
#include "api/thread_pool.h"
#include "obs/log.h"

namespace penstock::api {
namespace {

constexpr size_t kHeadBytesMax = 65'536;
constexpr size_t kPathBytesMax = 1024;  // httplib matches paths by std::regex, which recurses
constexpr int kBacklog = 1024;
constexpr const char* kEveryPath = ".*";

std::string LowerCase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

HttpRequest Convert(const httplib::Request& from) {
  HttpRequest request{
      .method = from.method, .path = from.path, .query = {}, .headers = {}, .body = {}};
  for (const auto& [name, value] : from.params) request.query.emplace(name, value);
  for (const auto& [name, value] : from.headers) request.headers.emplace(LowerCase(name), value);
  return request;
}

// The connection that this thread serves.
thread_local DeadlineStream* serving = nullptr;

// In chunks until the client, the answer or the server ends it.
void AnswerInParts(const HttpResponse& from, httplib::Response& response) {
  response.set_chunked_content_provider(from.content_type,
                                        [next = from.stream](size_t, httplib::DataSink& sink) {
                                          if (serving->ClientIsGone()) return false;
                                          const std::optional<std::string> part = next();
                                          serving->ProlongAnswer();
                                          if (!part) {
                                            sink.done();
                                          } else if (!part->empty()) {
                                            sink.write(part->data(), part->size());
                                          }
                                          return true;
                                        });
}

void Answer(const HttpResponse& from, httplib::Response& response) {
  response.status = from.status;
  for (const auto& [name, value] : from.headers) response.set_header(name, value);
  if (from.stream) return AnswerInParts(from, response);
  response.set_content(from.body, from.content_type);
}

// httplib's own default would let a second server share the port.
void AllowQuickRestart(socket_t socket) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
}

// What httplib itself answers with, in words.
std::string ReasonOf(int status) {
  switch (status) {
    case 400:
      return "this is not an HTTP/1.1 request";
    case 413:
      return "the body is too large";
    case 414:
      return "the path is too long";
    default:
      return "the request failed";
  }
}

}  // namespace

std::string HttpRequest::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

// httplib parses requests and writes answers; sockets, time and threads are ours.
class HttpServer::Impl final : private httplib::Server {
 public:
  explicit Impl(HttpServer::Options options)
      : options_(std::move(options)),
        stream_limits_{.receive_timeout = options_.receive_timeout,
                       .send_timeout = options_.send_timeout,
                       .request_bytes_max = options_.body_bytes_max + kHeadBytesMax,
                       .received_bytes = &received_bytes_,
                       .received_bytes_max = options_.received_bytes_max} {
    new_task_queue = [this] { return MakePool(); };
    set_socket_options(AllowQuickRestart);
    set_payload_max_length(options_.body_bytes_max);
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      return Admit(request, response);
    });
    AddRoutes();
    set_error_handler([this](const httplib::Request&, httplib::Response& response) {
      if (response.body.empty()) Refuse(response.status, ReasonOf(response.status), response);
    });
    set_exception_handler([this](const httplib::Request& request, httplib::Response& response,
                                 const std::exception_ptr& exception) {
      AnswerException(request, response, exception);
    });
  }

  Status Listen() {
    // The address is checked first: afterwards errno tells why it cannot be had.
    errno = 0;
    if (options_.port == 0) {
      port_ = bind_to_any_port(options_.host);
    } else if (bind_to_port(options_.host, options_.port)) {
      port_ = options_.port;
    }
    if (port_ <= 0) return BindFailure(errno);
    // The library lets five connections wait: a burst would lose a second for each one more.
    ::listen(svr_sock_, kBacklog);
    thread_ = std::thread([this] { listen_after_bind(); });
    return {};
  }

  void Stop() {
    if (!thread_.joinable()) return;
    // stop() does nothing before the loop runs.
    while (!is_running()) std::this_thread::yield();
    stopping_ = true;
    stop();
    connections_.CutAll();
    thread_.join();
  }

  int port() const { return port_; }

 private:
  Failure BindFailure(int error_number) const {
    const bool taken = error_number == EADDRINUSE;
    return Fail(Error{
        .code = taken ? ErrorCode::kConflict : ErrorCode::kInvalidArgument,
        .message = fmt::format("cannot listen on {}:{}: {}", options_.host, options_.port,
                               error_number != 0 ? std::strerror(error_number) : "no such address"),
        .remedy = taken ? "Stop the program that has this port, or choose another by --listen"
                        : "Choose an address of this machine by --listen"});
  }

  httplib::TaskQueue* MakePool() {
    // On httplib's accepting thread, like every enqueue.
    const auto refuse = [](const std::function<void()>& job) {
      refusing = true;
      job();
      refusing = false;
    };
    pool_ = new ThreadPool({.threads_max = options_.threads_max,
                            .waiting_max = options_.waiting_max,
                            .crowded = [this] { connections_.CutOldest(); },
                            .refuse = refuse});
    return pool_;
  }

  void AddRoutes() {
    const auto plain = [this](const httplib::Request& from, httplib::Response& response) {
      Answer(options_.handle(Convert(from)), response);
    };
    const auto with_body = [this](const httplib::Request& from, httplib::Response& response,
                                  const httplib::ContentReader& content) {
      HandleWithBody(from, response, content);
    };
    Get(kEveryPath, plain);
    Delete(kEveryPath, plain);
    httplib::Server::Options(kEveryPath, plain);
    Post(kEveryPath, with_body);
    Put(kEveryPath, with_body);
    Patch(kEveryPath, with_body);
  }

  HandlerResponse Admit(const httplib::Request& from, httplib::Response& response) {
    if (from.path.size() > kPathBytesMax) {
      Refuse(414, ReasonOf(414), response);
      return HandlerResponse::Handled;
    }
    const HttpRequest head = Convert(from);
    // The library would read it with no limit.
    if (head.method == "DELETE" && !head.Header("transfer-encoding").empty()) {
      Refuse(400, "DELETE takes no body", response);
      return HandlerResponse::Handled;
    }
    const std::optional<Refusal> refusal = options_.admit(head);
    if (!refusal) return HandlerResponse::Unhandled;
    Answer(options_.error(*refusal), response);
    return HandlerResponse::Handled;
  }

  void HandleWithBody(const httplib::Request& from, httplib::Response& response,
                      const httplib::ContentReader& content) {
    HttpRequest request = Convert(from);
    // Neither chunked nor compressed bodies are limited by the library.
    bool too_large = false;
    // Where neither is sent there is no body, and the library would fail to read one.
    const bool has_body = from.has_header("Content-Length") || from.has_header("Transfer-Encoding");
    const bool whole = !has_body || content([&](const char* bytes, size_t size) {
      too_large = request.body.size() + size > options_.body_bytes_max;
      if (!too_large) request.body.append(bytes, size);
      return !too_large;
    });
    if (whole) return Answer(options_.handle(request), response);
    const int status = too_large || response.status == 413 ? 413 : 400;
    Refuse(status, status == 413 ? ReasonOf(413) : "the body did not arrive whole", response);
  }

  void Refuse(int status, const std::string& message, httplib::Response& response) {
    Answer(options_.error({.status = status, .message = message}), response);
  }

  void AnswerException(const httplib::Request& request, httplib::Response& response,
                       const std::exception_ptr& exception) {
    std::string what = "unknown exception";
    try {
      std::rethrow_exception(exception);
    } catch (const std::exception& known) {
      what = known.what();
    } catch (...) {  // NOLINT(bugprone-empty-catch): `what` says so
    }
    LogError("", "{} {}: {}", request.method, request.path, what);
    Refuse(500, "internal error; the server's log says more", response);
  }

  bool process_and_close_socket(socket_t socket) override {
    if (!refusing && !stopping_) Serve(socket);
    ::close(socket);
    return true;
  }

  void Serve(socket_t socket) {
    const OpenConnections::Handle handle = connections_.Add(socket);
    // While others wait, each connection that gets a thread makes one give way, be it itself: so
    // never do all threads hold slow clients.
    if (pool_->Crowded()) connections_.CutOldest();
    std::unique_ptr<TlsSession> session = options_.tls ? options_.tls->Accept(socket) : nullptr;
    if (session || !options_.tls) {
      DeadlineStream stream(socket, stream_limits_, std::move(session));
      bool closed = false;
      serving = &stream;
      process_request(stream, /*close_connection=*/true, closed, nullptr);
      stream.Linger();
    }
    connections_.Remove(handle);
  }

  const HttpServer::Options options_;
  std::atomic<size_t> received_bytes_ = 0;
  const DeadlineStream::Limits stream_limits_;
  OpenConnections connections_;
  ThreadPool* pool_ = nullptr;  // httplib's, which destroys it when it stops listening
  std::atomic<bool> stopping_ = false;
  static thread_local bool refusing;
  int port_ = 0;
  std::thread thread_;
};

thread_local bool HttpServer::Impl::refusing = false;

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() { impl_->Stop(); }

Result<std::unique_ptr<HttpServer>> HttpServer::Start(Options options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  PENSTOCK_TRY(impl->Listen());
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

uint16_t HttpServer::port() const { return static_cast<uint16_t>(impl_->port()); }

}  // namespace penstock::api
