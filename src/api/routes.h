#pragma once

#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "api/http_server.h"
#include "pipe/supervisor.h"

namespace penstock::api {

// The paths and methods of openapi.yaml over a supervisor: a request in, its answer out. Safe from
// any thread.
class Routes {
 public:
  struct Options {
    std::string organization_id;
    std::string service_id;
    pipe::Supervisor* supervisor = nullptr;  // outlives this
    std::stop_token stop;                    // ends calls that wait for other servers
  };
  explicit Routes(Options options) : options_(std::move(options)) {}

  HttpResponse Handle(const HttpRequest& request) const;

 private:
  using Segments = std::vector<std::string>;

  HttpResponse HandleOrganizations(const HttpRequest& request, const Segments& rest) const;
  HttpResponse HandleServices(const HttpRequest& request, const Segments& rest) const;
  HttpResponse HandlePipes(const HttpRequest& request, const Segments& rest) const;
  HttpResponse HandlePipe(const HttpRequest& request, const std::string& id,
                          const Segments& rest) const;
  Result<nlohmann::json> StatusOf(const HttpRequest& request, const std::string& id) const;
  Result<nlohmann::json> Records(const HttpRequest& request, const std::string& id,
                                 const std::string& kind) const;
  HttpResponse ListPipes() const;
  HttpResponse CreatePipe(const HttpRequest& request) const;
  HttpResponse CheckPipe(const HttpRequest& request) const;
  HttpResponse ChangeState(const HttpRequest& request, const std::string& id) const;
  HttpResponse DeletePipe(const std::string& id) const;
  HttpResponse AnswerPipe(const Result<pipe::PipeStatus>& status) const;

  const Options options_;
};

// "/v1//organizations/" -> {"v1", "organizations"}
std::vector<std::string> SplitPath(const std::string& path);

}  // namespace penstock::api
