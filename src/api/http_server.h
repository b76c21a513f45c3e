#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "api/tls.h"
#include "base/status.h"

namespace penstock::api {

// A request that has arrived whole.
struct HttpRequest {
  std::string method;
  std::string path;                            // without the query, percent-decoded
  std::map<std::string, std::string> query;    // the first value of each name
  std::map<std::string, std::string> headers;  // names in lower case, the first value of each
  std::string body;

  // "" when absent; `name` in lower case.
  std::string Header(const std::string& name) const;
};

// What is sent next of an answer that goes on: "" for nothing yet, nothing at its end. May wait for
// about a second.
using NextPart = std::function<std::optional<std::string>()>;

struct HttpResponse {
  int status = 200;
  std::string body;
  std::map<std::string, std::string> headers = {};
  std::string content_type = "application/json";
  NextPart stream = nullptr;  // in place of a body; keeps one of the threads
};

// Why a request is not answered any further.
struct Refusal {
  int status = 403;
  std::string message;
  std::map<std::string, std::string> headers = {};
};

// HTTP/1.1 over cpp-httplib, one request per connection, built so that no client can keep another
// from being answered: a request has to arrive whole within a time and within a size, a connection
// has a thread only from a bounded pool, and when all of them are taken the connection that has
// been arriving for longest is cut.
class HttpServer {
 public:
  struct Options {
    std::string host;
    uint16_t port = 0;  // 0: any free port
    // Whether a request may go on, by its head alone: its body is read only then. Called on any of
    // the pool's threads, like `handle`.
    std::function<std::optional<Refusal>(const HttpRequest& head)> admit;
    std::function<HttpResponse(const HttpRequest& request)> handle;
    // The answer to what never reaches `handle`: refused, too large, not HTTP.
    std::function<HttpResponse(const Refusal& refusal)> error;
    std::shared_ptr<TlsContext> tls = nullptr;  // nullptr: in plain text
    size_t threads_max = 128;
    size_t waiting_max = 512;  // connections without a thread; those beyond are closed
    size_t body_bytes_max = 4ULL * 1024 * 1024;
    size_t received_bytes_max = 64ULL * 1024 * 1024;  // of all requests at once
    std::chrono::milliseconds receive_timeout{10'000};
    std::chrono::milliseconds send_timeout{10'000};
  };

  // kConflict: the port is taken. kInvalidArgument: no such host.
  static Result<std::unique_ptr<HttpServer>> Start(Options options);
  // Stops listening, cuts requests that are still arriving, waits for the others.
  ~HttpServer();

  uint16_t port() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::api
