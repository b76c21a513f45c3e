#include "api/routes.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "api/cdc_scaling.h"
#include "api/metrics.h"
#include "api/openapi.h"
#include "api/shapes.h"
#include "base/clock.h"

namespace penstock::api {
namespace {

using nlohmann::json;

constexpr size_t kRecordsDefault = 100;
constexpr size_t kRecordsMax = 1'000;
constexpr char kCdcScaling[] = "cdc_scaling";

HttpResponse NoSuchPath(const HttpRequest& request) {
  return ErrorResponse(404, fmt::format("there is no {}", request.path));
}

HttpResponse WrongMethod(const HttpRequest& request, const std::string& allowed) {
  HttpResponse response = ErrorResponse(
      405, fmt::format("{} does not take {}; it takes {}", request.path, request.method, allowed));
  response.headers["Allow"] = allowed;
  return response;
}

bool IsGet(const HttpRequest& request) {
  return request.method == "GET" || request.method == "HEAD";
}

// A whole number of the query.
struct NumberRange {
  size_t min;
  size_t max;
  size_t usual;  // where it is not given
};
Result<size_t> NumberOf(const HttpRequest& request, const char* name, NumberRange range) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return range.usual;
  const std::string& text = found->second;
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < range.min ||
      number > range.max) {
    return Fail(ErrorCode::kInvalidArgument, "{}: must be a whole number from {} to {}", name,
                range.min, range.max);
  }
  return number;
}

// false where it is not given.
Result<bool> FlagOf(const HttpRequest& request, const char* name) {
  const auto found = request.query.find(name);
  if (found == request.query.end() || found->second == "false") return false;
  if (found->second == "true") return true;
  return Fail(ErrorCode::kInvalidArgument, "{}: must be true or false", name);
}

Result<pipe::PipeSpec> SpecOf(const HttpRequest& request, const pipe::Supervisor& supervisor) {
  PENSTOCK_ASSIGN(const json body, ParseBody(request.body));
  return supervisor.Parse(body);
}

// The tables of a resync or a retry: [{"sourceSchemaName": ..., "sourceTable": ...}].
Result<std::vector<model::TableName>> NamesOf(const json& tables) {
  const Failure wrong = Fail(ErrorCode::kInvalidArgument,
                             "tables: must be a list of sourceSchemaName and sourceTable");
  if (!tables.is_array() || tables.empty()) return wrong;
  std::vector<model::TableName> names;
  for (const json& table : tables) {
    if (!table.is_object() || table.size() != 2) return wrong;
    const json schema = table.value("sourceSchemaName", json());
    const json name = table.value("sourceTable", json());
    if (!schema.is_string() || !name.is_string()) return wrong;
    names.push_back({schema.get<std::string>(), name.get<std::string>()});
  }
  return names;
}

Result<pipe::PipeStatus> Order(pipe::Supervisor& supervisor, const std::string& id,
                               const HttpRequest& request) {
  PENSTOCK_ASSIGN(const json body, ParseBody(request.body));
  if (!body.is_object()) return Fail(ErrorCode::kInvalidArgument, "body: must be an object");
  const json command = body.value("command", json());
  for (const auto& [key, value] : body.items()) {
    if (key == "command" || (key == "tables" && (command == "resync" || command == "retry")))
      continue;
    return Fail(ErrorCode::kInvalidArgument, "{}: unknown field", key);
  }
  if (command == "start") return supervisor.Apply(id, pipe::Command::kStart);
  if (command == "stop") return supervisor.Apply(id, pipe::Command::kStop);
  if (command != "resync" && command != "retry") {
    return Fail(ErrorCode::kInvalidArgument, "command: must be one of: start, stop, resync, retry");
  }
  std::vector<model::TableName> tables;
  if (body.contains("tables")) {
    PENSTOCK_ASSIGN(tables, NamesOf(body["tables"]));
  }
  return command == "retry" ? supervisor.RetryTables(id, tables) : supervisor.Resync(id, tables);
}

// How many records are asked for.
Result<size_t> LimitOf(const HttpRequest& request) {
  return NumberOf(request, "limit", {.min = 1, .max = kRecordsMax, .usual = kRecordsDefault});
}

Result<size_t> TablesMaxOf(const HttpRequest& request) {
  return NumberOf(request, "tables", {.min = 0, .max = SIZE_MAX, .usual = SIZE_MAX});
}

HttpResponse AnswerJson(const Result<json>& result) {
  return result ? Success(*result) : ErrorResponse(result.error());
}

}  // namespace

std::vector<std::string> SplitPath(const std::string& path) {
  std::vector<std::string> segments;
  size_t begin = 0;
  while (begin < path.size()) {
    size_t end = path.find('/', begin);
    if (end == std::string::npos) end = path.size();
    if (end > begin) segments.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return segments;
}

Routes::Routes(Options options)
    : options_(std::move(options)),
      streams_(*options_.supervisor, options_.stop),
      repeated_(std::make_unique<RepeatedRequests>(*options_.supervisor)) {}

// By path and method, in the order of openapi.yaml.
const std::vector<Routes::Route>& Routes::ServiceRoutes() {
  static const std::vector<Route> routes = {
      {"", "GET", &Routes::GetService},
      {"clickpipes", "GET", &Routes::ListPipes},
      {"clickpipes", "POST", &Routes::CreatePipe},
      {"clickpipesCheck", "POST", &Routes::CheckPipe},
      {"clickpipesCdcScaling", "GET", &Routes::GetCdcScaling},
      {"clickpipesCdcScaling", "PATCH", &Routes::ChangeCdcScaling}};
  return routes;
}

const std::vector<Routes::Route>& Routes::PipeRoutes() {
  static const std::vector<Route> routes = {{"", "GET", &Routes::GetPipe},
                                            {"", "PATCH", &Routes::EditPipe},
                                            {"", "DELETE", &Routes::DeletePipe},
                                            {"state", "PATCH", &Routes::ChangeState},
                                            {"settings", "GET", &Routes::GetSettings},
                                            {"settings", "PUT", &Routes::ChangeSettings},
                                            {"scaling", "PATCH", &Routes::ChangeScaling},
                                            {"status", "GET", &Routes::GetStatus},
                                            {"status/stream", "GET", &Routes::StreamStatus},
                                            {"tables", "GET", &Routes::GetTables},
                                            {"events", "GET", &Routes::GetEvents},
                                            {"stateHistory", "GET", &Routes::GetStateHistory},
                                            {"errors", "GET", &Routes::GetErrors},
                                            {"batches", "GET", &Routes::GetBatches},
                                            {"partitions", "GET", &Routes::GetPartitions}};
  return routes;
}

HttpResponse Routes::Handle(const HttpRequest& request) const {
  Segments segments = SplitPath(request.path);
  if (segments == Segments{"health"}) {
    return IsGet(request) ? Success({{"version", PENSTOCK_VERSION}}) : WrongMethod(request, "GET");
  }
  if (segments == Segments{"openapi.yaml"}) {
    if (!IsGet(request)) return WrongMethod(request, "GET");
    return {.body = std::string(OpenApiText()), .content_type = "application/yaml"};
  }
  if (segments == Segments{"metrics"}) {
    return IsGet(request) ? MetricsResponse(options_.supervisor->Figures())
                          : WrongMethod(request, "GET");
  }
  if (segments.size() < 2 || segments[0] != "v1" || segments[1] != "organizations") {
    return NoSuchPath(request);
  }
  segments.erase(segments.begin(), segments.begin() + 2);
  return HandleOrganizations(request, segments);
}

// Below /v1/organizations.
HttpResponse Routes::HandleOrganizations(const HttpRequest& request, const Segments& rest) const {
  const json organization = OrganizationToJson(options_.organization_id);
  if (rest.empty()) {
    return IsGet(request) ? Success(json::array({organization})) : WrongMethod(request, "GET");
  }
  if (rest[0] != options_.organization_id) {
    return ErrorResponse(404, fmt::format("there is no organization with the id {}", rest[0]));
  }
  if (rest.size() == 1) {
    return IsGet(request) ? Success(organization) : WrongMethod(request, "GET");
  }
  if (rest[1] != "services") return NoSuchPath(request);
  return HandleServices(request, Segments(rest.begin() + 2, rest.end()));
}

// Below …/services.
HttpResponse Routes::HandleServices(const HttpRequest& request, const Segments& rest) const {
  if (rest.empty()) {
    if (!IsGet(request)) return WrongMethod(request, "GET");
    if (request.query.contains("filter")) return Success(json::array());  // by tags: it has none
    return Success(json::array({ServiceToJson(options_.service_id)}));
  }
  if (rest[0] != options_.service_id) {
    return ErrorResponse(404, fmt::format("there is no service with the id {}", rest[0]));
  }
  if (rest.size() > 2 && rest[1] == "clickpipes") {
    return Dispatch(PipeRoutes(), request, Segments(rest.begin() + 3, rest.end()), rest[2]);
  }
  return Dispatch(ServiceRoutes(), request, Segments(rest.begin() + 1, rest.end()), "");
}

HttpResponse Routes::Dispatch(const std::vector<Route>& routes, const HttpRequest& request,
                              const Segments& rest, const std::string& id) const {
  std::string path;
  for (const std::string& segment : rest) path += (path.empty() ? "" : "/") + segment;
  const std::string_view method = IsGet(request) ? "GET" : std::string_view(request.method);
  std::string allowed;
  for (const Route& route : routes) {
    if (route.path != path) continue;
    if (route.method == method) return (this->*route.handler)(request, id);
    allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
  }
  return allowed.empty() ? NoSuchPath(request) : WrongMethod(request, allowed);
}

HttpResponse Routes::GetService(const HttpRequest&, const std::string&) const {
  return Success(ServiceToJson(options_.service_id));
}

HttpResponse Routes::ListPipes(const HttpRequest&, const std::string&) const {
  json list = json::array();
  for (const pipe::PipeStatus& status : options_.supervisor->List()) {
    list.push_back(PipeToJson(status, options_.service_id));
  }
  return Success(list);
}

HttpResponse Routes::CreatePipe(const HttpRequest& request, const std::string&) const {
  return repeated_->Once(request, [&] {
    return AnswerPipe(SpecOf(request, *options_.supervisor).and_then([&](pipe::PipeSpec spec) {
      return options_.supervisor->Create(std::move(spec), options_.stop);
    }));
  });
}

HttpResponse Routes::CheckPipe(const HttpRequest& request, const std::string&) const {
  return AnswerJson(SpecOf(request, *options_.supervisor).map([&](pipe::PipeSpec spec) {
    return ReportToJson(options_.supervisor->Check(spec, options_.stop));
  }));
}

Result<json> Routes::ScalingNow() const {
  return options_.supervisor->Setting(kCdcScaling).map([](const std::string& stored) {
    return stored.empty() ? CdcScalingAtFirst() : json::parse(stored);
  });
}

HttpResponse Routes::GetCdcScaling(const HttpRequest&, const std::string&) const {
  return AnswerJson(ScalingNow());
}

HttpResponse Routes::ChangeCdcScaling(const HttpRequest& request, const std::string&) const {
  return AnswerJson([&]() -> Result<json> {
    PENSTOCK_ASSIGN(const json body, ParseBody(request.body));
    PENSTOCK_ASSIGN(const json stored, ScalingNow());
    PENSTOCK_ASSIGN(json scaling, ParseCdcScaling(body, stored));
    PENSTOCK_TRY(options_.supervisor->SaveSetting(kCdcScaling, scaling.dump()));
    return scaling;
  }());
}

HttpResponse Routes::GetPipe(const HttpRequest&, const std::string& id) const {
  return AnswerPipe(options_.supervisor->Get(id, 0));
}

HttpResponse Routes::EditPipe(const HttpRequest& request, const std::string& id) const {
  return AnswerPipe(
      ParseBody(request.body).and_then(pipe::ParsePipeChange).and_then([&](const auto& change) {
        return options_.supervisor->Edit(id, change, options_.stop);
      }));
}

HttpResponse Routes::DeletePipe(const HttpRequest& request, const std::string& id) const {
  const Status deleted = FlagOf(request, "dropTargetTables").and_then([&](bool drop) {
    return options_.supervisor->Delete(id, drop, options_.stop);
  });
  return deleted ? SuccessWithoutResult() : ErrorResponse(deleted.error());
}

HttpResponse Routes::ChangeState(const HttpRequest& request, const std::string& id) const {
  return AnswerPipe(Order(*options_.supervisor, id, request));
}

HttpResponse Routes::GetSettings(const HttpRequest&, const std::string& id) const {
  return AnswerJson(options_.supervisor->Get(id, 0).map(HostedSettingsOf));
}

HttpResponse Routes::ChangeSettings(const HttpRequest& request, const std::string& id) const {
  return AnswerJson([&]() -> Result<json> {
    PENSTOCK_ASSIGN(const json body, ParseBody(request.body));
    if (!body.is_object()) return Fail(ErrorCode::kInvalidArgument, "body: must be an object");
    const pipe::PipeChange change = {.fields = {{"settings", body}}};
    return options_.supervisor->Edit(id, change, options_.stop).map(HostedSettingsOf);
  }());
}

HttpResponse Routes::ChangeScaling(const HttpRequest&, const std::string& id) const {
  const auto status = options_.supervisor->Get(id, 0);
  if (!status) return ErrorResponse(status.error());
  return ErrorResponse(400,
                       "a pipe of a database has no scaling of its own; use "
                       "clickpipesCdcScaling");
}

HttpResponse Routes::GetStatus(const HttpRequest& request, const std::string& id) const {
  return AnswerJson(TablesMaxOf(request).and_then([&](size_t tables_max) {
    return options_.supervisor->Get(id, tables_max).map(StatusToJson);
  }));
}

HttpResponse Routes::StreamStatus(const HttpRequest& request, const std::string& id) const {
  const auto tables_max = TablesMaxOf(request);
  return tables_max ? streams_.Open(id, *tables_max) : ErrorResponse(tables_max.error());
}

HttpResponse Routes::GetTables(const HttpRequest&, const std::string& id) const {
  return AnswerJson(options_.supervisor->Get(id, SIZE_MAX).map(TablesToJson));
}

HttpResponse Routes::GetEvents(const HttpRequest& request, const std::string& id) const {
  return AnswerJson(LimitOf(request).and_then(
      [&](size_t limit) { return options_.supervisor->Events(id, limit).map(EventsToJson); }));
}

HttpResponse Routes::GetStateHistory(const HttpRequest& request, const std::string& id) const {
  return AnswerJson(LimitOf(request).and_then([&](size_t limit) {
    return options_.supervisor->Transitions(id, limit).map(StateHistoryToJson);
  }));
}

// Of the latest events those that are warnings or errors.
HttpResponse Routes::GetErrors(const HttpRequest& request, const std::string& id) const {
  return AnswerJson(LimitOf(request).and_then([&](size_t limit) {
    return options_.supervisor->Events(id, kRecordsMax).map([&](auto events) {
      std::erase_if(events, [](const auto& event) { return event.level == "info"; });
      events.resize(std::min(limit, events.size()));
      return EventsToJson(events);
    });
  }));
}

HttpResponse Routes::GetBatches(const HttpRequest& request, const std::string& id) const {
  return AnswerJson(LimitOf(request).and_then(
      [&](size_t limit) { return options_.supervisor->Batches(id, limit).map(BatchesToJson); }));
}

HttpResponse Routes::GetPartitions(const HttpRequest& request, const std::string& id) const {
  const auto table = request.query.find("table");
  const std::string name = table == request.query.end() ? "" : table->second;
  return AnswerJson(LimitOf(request).and_then([&](size_t limit) {
    return options_.supervisor->Partitions(id, name, limit).map(PartitionsToJson);
  }));
}

HttpResponse Routes::AnswerPipe(const Result<pipe::PipeStatus>& status) const {
  if (!status) return ErrorResponse(status.error());
  return Success(PipeToJson(*status, options_.service_id));
}

}  // namespace penstock::api
