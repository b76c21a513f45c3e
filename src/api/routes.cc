#include "api/routes.h"

#include <charconv>
#include <optional>
#include <utility>

#include "api/metrics.h"
#include "api/shapes.h"
#include "base/clock.h"

namespace penstock::api {
namespace {

using nlohmann::json;

constexpr size_t kRecordsDefault = 100;
constexpr size_t kRecordsMax = 1'000;

HttpResponse NoSuchPath(const HttpRequest& request) {
  return ErrorResponse(404, fmt::format("there is no {}", request.path));
}

HttpResponse WrongMethod(const HttpRequest& request, const char* allowed) {
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

Result<pipe::PipeSpec> SpecOf(const HttpRequest& request, const pipe::Supervisor& supervisor) {
  PENSTOCK_ASSIGN(const json body, ParseBody(request.body));
  return supervisor.Parse(body);
}

// The tables of a resync: [{"sourceSchemaName": ..., "sourceTable": ...}].
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
    if (key == "command" || (key == "tables" && command == "resync")) continue;
    return Fail(ErrorCode::kInvalidArgument, "{}: unknown field", key);
  }
  if (command == "start") return supervisor.Apply(id, pipe::Command::kStart);
  if (command == "stop") return supervisor.Apply(id, pipe::Command::kStop);
  if (command == "resync") {
    if (!body.contains("tables")) return supervisor.Resync(id, {});
    PENSTOCK_ASSIGN(const auto tables, NamesOf(body["tables"]));
    return supervisor.Resync(id, tables);
  }
  return Fail(ErrorCode::kInvalidArgument, "command: must be one of: start, stop, resync");
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

HttpResponse Routes::Handle(const HttpRequest& request) const {
  Segments segments = SplitPath(request.path);
  if (segments == Segments{"health"}) {
    return IsGet(request) ? Success({{"version", PENSTOCK_VERSION}}) : WrongMethod(request, "GET");
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
  if (rest.empty()) {
    if (!IsGet(request)) return WrongMethod(request, "GET");
    return Success(json::array({OrganizationToJson(options_.organization_id)}));
  }
  if (rest[0] != options_.organization_id) {
    return ErrorResponse(404, fmt::format("there is no organization with the id {}", rest[0]));
  }
  if (rest.size() < 2 || rest[1] != "services") return NoSuchPath(request);
  return HandleServices(request, Segments(rest.begin() + 2, rest.end()));
}

// Below …/services.
HttpResponse Routes::HandleServices(const HttpRequest& request, const Segments& rest) const {
  if (rest.empty()) {
    if (!IsGet(request)) return WrongMethod(request, "GET");
    return Success(json::array({ServiceToJson(options_.service_id)}));
  }
  if (rest[0] != options_.service_id) {
    return ErrorResponse(404, fmt::format("there is no service with the id {}", rest[0]));
  }
  if (rest.size() == 1) {
    if (!IsGet(request)) return WrongMethod(request, "GET");
    return Success(ServiceToJson(options_.service_id));
  }
  if (rest.size() == 2 && rest[1] == "clickpipesCheck") {
    return request.method == "POST" ? CheckPipe(request) : WrongMethod(request, "POST");
  }
  if (rest[1] != "clickpipes") return NoSuchPath(request);
  return HandlePipes(request, Segments(rest.begin() + 2, rest.end()));
}

// Below …/clickpipes.
HttpResponse Routes::HandlePipes(const HttpRequest& request, const Segments& rest) const {
  if (!rest.empty()) {
    return HandlePipe(request, rest[0], Segments(rest.begin() + 1, rest.end()));
  }
  if (IsGet(request)) return ListPipes();
  return request.method == "POST" ? CreatePipe(request) : WrongMethod(request, "GET, POST");
}

// Below …/clickpipes/{id}.
HttpResponse Routes::HandlePipe(const HttpRequest& request, const std::string& id,
                                const Segments& rest) const {
  pipe::Supervisor& supervisor = *options_.supervisor;
  if (rest.empty()) {
    if (IsGet(request)) return AnswerPipe(supervisor.Get(id, 0));
    return request.method == "DELETE" ? DeletePipe(id) : WrongMethod(request, "GET, DELETE");
  }
  if (rest.size() > 1) return NoSuchPath(request);
  if (rest[0] == "state") {
    return request.method == "PATCH" ? ChangeState(request, id) : WrongMethod(request, "PATCH");
  }
  const std::string& what = rest[0];
  if (what != "status" && what != "events" && what != "batches" && what != "partitions") {
    return NoSuchPath(request);
  }
  if (!IsGet(request)) return WrongMethod(request, "GET");
  const auto answered = what == "status" ? StatusOf(request, id) : Records(request, id, what);
  return answered ? Success(*answered) : ErrorResponse(answered.error());
}

Result<json> Routes::StatusOf(const HttpRequest& request, const std::string& id) const {
  PENSTOCK_ASSIGN(const size_t tables_max,
                  NumberOf(request, "tables", {.min = 0, .max = SIZE_MAX, .usual = SIZE_MAX}));
  return options_.supervisor->Get(id, tables_max).map(StatusToJson);
}

// The latest records of a kind that a pipe leaves behind.
Result<json> Routes::Records(const HttpRequest& request, const std::string& id,
                             const std::string& kind) const {
  const pipe::Supervisor& supervisor = *options_.supervisor;
  PENSTOCK_ASSIGN(
      const size_t limit,
      NumberOf(request, "limit", {.min = 1, .max = kRecordsMax, .usual = kRecordsDefault}));
  if (kind == "events") return supervisor.Events(id, limit).map(EventsToJson);
  if (kind == "batches") return supervisor.Batches(id, limit).map(BatchesToJson);
  const auto table = request.query.find("table");
  return supervisor.Partitions(id, table == request.query.end() ? "" : table->second, limit)
      .map(PartitionsToJson);
}

HttpResponse Routes::ListPipes() const {
  json list = json::array();
  for (const pipe::PipeStatus& status : options_.supervisor->List()) {
    list.push_back(PipeToJson(status, options_.service_id));
  }
  return Success(list);
}

HttpResponse Routes::CreatePipe(const HttpRequest& request) const {
  return AnswerPipe(SpecOf(request, *options_.supervisor).and_then([&](pipe::PipeSpec spec) {
    return options_.supervisor->Create(std::move(spec), options_.stop);
  }));
}

HttpResponse Routes::CheckPipe(const HttpRequest& request) const {
  const Result<pipe::PipeSpec> spec = SpecOf(request, *options_.supervisor);
  if (!spec) return ErrorResponse(spec.error());
  return Success(ReportToJson(options_.supervisor->Check(*spec, options_.stop)));
}

HttpResponse Routes::ChangeState(const HttpRequest& request, const std::string& id) const {
  return AnswerPipe(Order(*options_.supervisor, id, request));
}

HttpResponse Routes::DeletePipe(const std::string& id) const {
  const Status deleted = options_.supervisor->Delete(id);
  return deleted ? SuccessWithoutResult() : ErrorResponse(deleted.error());
}

HttpResponse Routes::AnswerPipe(const Result<pipe::PipeStatus>& status) const {
  if (!status) return ErrorResponse(status.error());
  return Success(PipeToJson(*status, options_.service_id));
}

}  // namespace penstock::api
