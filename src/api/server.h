#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "pipe/supervisor.h"

namespace penstock::api {

// The REST API of openapi.yaml over cpp-httplib, on one listener. Limits: bodies of 4 MiB, headers
// and URLs as the library bounds them, a bounded pool of threads, and timeouts so that slow clients
// never keep /health from answering. Requests whose Host is not one of ours, or whose Origin is
// another site, are refused: a web page must not reach a loopback server.
class Server {
 public:
  struct Options {
    std::string host = "127.0.0.1";
    uint16_t port = 8124;  // 0: any free port
    std::string organization_id;
    std::string service_id;
    pipe::Supervisor* supervisor = nullptr;  // outlives the server
  };
  static Result<std::unique_ptr<Server>> Start(Options options);
  ~Server();  // stops listening and waits for requests to end

  uint16_t port() const;

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::api
