#include "api/server.h"

#include <algorithm>
#include <cctype>
#include <stop_token>
#include <utility>

#include "api/guard.h"
#include "api/http_server.h"
#include "api/routes.h"
#include "api/shapes.h"

namespace penstock::api {
namespace {

std::string LowerCase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::vector<std::string> NamesOf(const Server::Options& options) {
  std::vector<std::string> names = {"localhost", LowerCase(options.host)};
  for (const std::string& name : options.allowed_hosts) names.push_back(LowerCase(name));
  return names;
}

}  // namespace

class Server::Impl {
 public:
  explicit Impl(const Options& options)
      : names_(NamesOf(options)),
        keys_(options.keys),
        routes_({.organization_id = options.organization_id,
                 .service_id = options.service_id,
                 .supervisor = options.supervisor,
                 .stop = stop_.get_token()}) {}
  // Requests that wait for other servers are ended before the listener waits for them.
  ~Impl() { stop_.request_stop(); }

  Status Listen(const Options& options) {
    HttpServer::Options http;
    http.host = options.host;
    http.port = options.port;
    http.tls = options.tls;
    http.admit = [this](const HttpRequest& head) { return Admit(head); };
    http.handle = [this](const HttpRequest& request) { return routes_.Handle(request); };
    http.error = [](const Refusal& refusal) {
      HttpResponse response = ErrorResponse(refusal.status, refusal.message);
      response.headers = refusal.headers;
      return response;
    };
    PENSTOCK_ASSIGN(http_, HttpServer::Start(std::move(http)));
    return {};
  }

  uint16_t port() const { return http_->port(); }

 private:
  // Whoever has a key is no web page that was made to ask: by what name is of no matter then.
  std::optional<Refusal> Admit(const HttpRequest& head) {
    auto refusal = CheckRequestHead(head, keys_.has_keys() ? nullptr : &names_);
    const bool is_open = head.path == "/health";
    return refusal || is_open ? refusal : CheckKey(keys_, head);
  }

  std::stop_source stop_;
  const std::vector<std::string> names_;
  KeyGuard keys_;
  const Routes routes_;
  std::unique_ptr<HttpServer> http_;  // the last member: its threads use the others
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::Start(const Options& options) {
  auto impl = std::make_unique<Impl>(options);
  PENSTOCK_TRY(impl->Listen(options));
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

uint16_t Server::port() const { return impl_->port(); }

}  // namespace penstock::api
