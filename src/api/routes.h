#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_server.h"
#include "api/repeated_requests.h"
#include "api/status_stream.h"
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
  explicit Routes(Options options);

  HttpResponse Handle(const HttpRequest& request) const;

 private:
  using Segments = std::vector<std::string>;
  // What answers a method of what is below a pipe, or below the service (then the id is empty).
  using Handler = HttpResponse (Routes::*)(const HttpRequest& request, const std::string& id) const;
  struct Route {
    std::string_view path;
    std::string_view method;
    Handler handler;
  };
  static const std::vector<Route>& ServiceRoutes();
  static const std::vector<Route>& PipeRoutes();
  HttpResponse Dispatch(const std::vector<Route>& routes, const HttpRequest& request,
                        const Segments& rest, const std::string& id) const;

  HttpResponse HandleOrganizations(const HttpRequest& request, const Segments& rest) const;
  HttpResponse HandleServices(const HttpRequest& request, const Segments& rest) const;

  HttpResponse GetService(const HttpRequest& request, const std::string& id) const;
  HttpResponse ListPipes(const HttpRequest& request, const std::string& id) const;
  HttpResponse CreatePipe(const HttpRequest& request, const std::string& id) const;
  HttpResponse CheckPipe(const HttpRequest& request, const std::string& id) const;
  HttpResponse GetCdcScaling(const HttpRequest& request, const std::string& id) const;
  HttpResponse ChangeCdcScaling(const HttpRequest& request, const std::string& id) const;

  HttpResponse GetPipe(const HttpRequest& request, const std::string& id) const;
  HttpResponse EditPipe(const HttpRequest& request, const std::string& id) const;
  HttpResponse DeletePipe(const HttpRequest& request, const std::string& id) const;
  HttpResponse ChangeState(const HttpRequest& request, const std::string& id) const;
  HttpResponse GetSettings(const HttpRequest& request, const std::string& id) const;
  HttpResponse ChangeSettings(const HttpRequest& request, const std::string& id) const;
  HttpResponse ChangeScaling(const HttpRequest& request, const std::string& id) const;
  HttpResponse GetStatus(const HttpRequest& request, const std::string& id) const;
  HttpResponse StreamStatus(const HttpRequest& request, const std::string& id) const;
  HttpResponse GetTables(const HttpRequest& request, const std::string& id) const;
  HttpResponse GetEvents(const HttpRequest& request, const std::string& id) const;
  HttpResponse GetStateHistory(const HttpRequest& request, const std::string& id) const;
  HttpResponse GetErrors(const HttpRequest& request, const std::string& id) const;
  HttpResponse GetBatches(const HttpRequest& request, const std::string& id) const;
  HttpResponse GetPartitions(const HttpRequest& request, const std::string& id) const;

  Result<nlohmann::json> ScalingNow() const;
  HttpResponse AnswerPipe(const Result<pipe::PipeStatus>& status) const;

  const Options options_;
  const StatusStreams streams_;
  const std::unique_ptr<RepeatedRequests> repeated_;
};

// "/v1//organizations/" -> {"v1", "organizations"}
std::vector<std::string> SplitPath(const std::string& path);

}  // namespace penstock::api
