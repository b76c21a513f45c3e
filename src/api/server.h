#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/keys.h"
#include "api/tls.h"
#include "base/status.h"
#include "pipe/supervisor.h"

namespace penstock::api {

// The REST API of openapi.yaml on one listener: routes.h behind guard.h on http_server.h, whose
// limits keep slow clients from stopping /health.
class Server {
 public:
  struct Options {
    std::string host = "127.0.0.1";
    uint16_t port = 8124;  // 0: any free port
    std::string organization_id;
    std::string service_id;
    pipe::Supervisor* supervisor = nullptr;  // outlives the server
    // Names of this server, beside IP addresses, localhost and `host`, that a request's Host may
    // hold.
    std::vector<std::string> allowed_hosts = {};
    KeyGuard::Options keys = {};
    std::shared_ptr<TlsContext> tls = nullptr;  // nullptr: in plain text
  };
  static Result<std::unique_ptr<Server>> Start(const Options& options);
  ~Server();  // stops listening and waits for requests to end

  uint16_t port() const;

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::api
