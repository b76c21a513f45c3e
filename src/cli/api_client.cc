#include "cli/api_client.h"

#include <curl/curl.h>

#include <memory>
#include <utility>

#include "base/http_proxy.h"

namespace penstock::cli {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr seconds kConnectTimeout(10);
constexpr seconds kCheckTimeout(600);
constexpr size_t kAnswerBytesMax = 256ULL * 1024 * 1024;

struct Answer {
  std::string body;
  bool too_large = false;
};

size_t Append(char* bytes, size_t size, size_t count, void* target) {
  auto* answer = static_cast<Answer*>(target);
  answer->too_large = answer->body.size() + size * count > kAnswerBytesMax;
  if (answer->too_large) return 0;
  answer->body.append(bytes, size * count);
  return size * count;
}

int StopRequested(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<std::stop_token*>(stop)->stop_requested() ? 1 : 0;
}

Failure Unreachable(const std::string& server, CURLcode code) {
  return Fail(Error{.code = ErrorCode::kRetry,
                    .message = fmt::format("cannot reach a penstock server at {}: {}", server,
                                           curl_easy_strerror(code)),
                    .remedy = "Start it with `penstock serve`, or name it by --server or "
                              "PENSTOCK_SERVER"});
}

// It has taken the request in.
Failure NotAnswered(const std::string& server, std::string_view method, seconds timeout) {
  const bool is_change = method != "GET";
  return Fail(Error{.code = is_change ? ErrorCode::kUnknownOutcome : ErrorCode::kRetry,
                    .message = fmt::format("the penstock server at {} did not answer in {} s",
                                           server, timeout.count()),
                    .remedy = is_change ? "The order may still be carried out: look with `penstock "
                                          "show` before it is repeated"
                                        : "Its log says what holds it up"});
}

std::string TextAt(const json& object, const char* key) {
  if (!object.is_object()) return "";
  const json value = object.value(key, json());
  return value.is_string() ? value.get<std::string>() : "";
}

// An answer of the API to its result or its error.
Result<json> ResultOf(const std::string& server, long http_status, const std::string& body) {
  const json answer = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object()) {
    return Fail(ErrorCode::kBadData, "{} answered HTTP {} with something other than penstock's API",
                server, http_status);
  }
  if (http_status >= 200 && http_status < 300) return answer.value("result", json());
  const json error = answer.value("error", json());
  if (http_status == 401) {
    return Fail({.code = ErrorCode::kNeedsUser,
                 .message = TextAt(answer, "error"),
                 .remedy = "Set PENSTOCK_KEY_ID and PENSTOCK_KEY_SECRET to those of a key made by "
                           "`penstock keys create`"});
  }
  const ErrorCode code = http_status == 404 ? ErrorCode::kNotFound : ErrorCode::kInvalidArgument;
  return Fail(code, "{}",
              error.is_string() ? error.get<std::string>() : fmt::format("HTTP {}", http_status));
}

// The id of the only element of a list.
Result<std::string> OnlyId(const json& list, const char* what) {
  const std::string id = list.is_array() && !list.empty() ? TextAt(list[0], "id") : "";
  if (id.empty()) return Fail(ErrorCode::kBadData, "the server names no {}", what);
  return id;
}

}  // namespace

ApiClient::ApiClient(Server server, std::stop_token stop)
    : server_(std::move(server)), stop_(std::move(stop)) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
}

Result<json> ApiClient::Get(const std::string& path) {
  return CallService({.method = "GET", .path = path, .body = "", .timeout = server_.timeout});
}

Result<json> ApiClient::Delete(const std::string& path) {
  return CallService({.method = "DELETE", .path = path, .body = "", .timeout = server_.timeout});
}

Result<json> ApiClient::Post(const std::string& path, const json& body) {
  return CallService(
      {.method = "POST", .path = path, .body = body.dump(), .timeout = kCheckTimeout});
}

Result<json> ApiClient::Patch(const std::string& path, const json& body) {
  return CallService(
      {.method = "PATCH", .path = path, .body = body.dump(), .timeout = server_.timeout});
}

std::string ApiClient::Escaped(const std::string& text) {
  const std::unique_ptr<char, decltype(&curl_free)> escaped(
      curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size())), curl_free);
  return escaped ? escaped.get() : "";
}

Result<std::string> ApiClient::FindPipe(const std::string& name) {
  PENSTOCK_ASSIGN(const json pipes, Get("/clickpipes"));
  std::string names;
  for (const json& pipe : pipes) {
    const std::string id = TextAt(pipe, "id");
    const std::string pipe_name = TextAt(pipe, "name");
    if (pipe_name == name || id == name) return "/clickpipes/" + id;
    names += (names.empty() ? "" : ", ") + pipe_name;
  }
  return Fail(Error{
      .code = ErrorCode::kNotFound,
      .message = fmt::format("there is no pipe {}", name),
      .remedy = names.empty() ? "Make one with `penstock create -f FILE`" : "There are: " + names});
}

Result<json> ApiClient::CallService(Call call) {
  if (service_path_.empty()) {
    const std::string organizations = "/v1/organizations";
    const auto get = [this](std::string path) {
      return Send(
          {.method = "GET", .path = std::move(path), .body = "", .timeout = server_.timeout});
    };
    PENSTOCK_ASSIGN(const json list, get(organizations));
    PENSTOCK_ASSIGN(const std::string organization, OnlyId(list, "organization"));
    const std::string services = fmt::format("{}/{}/services", organizations, organization);
    PENSTOCK_ASSIGN(const json service_list, get(services));
    PENSTOCK_ASSIGN(const std::string service, OnlyId(service_list, "service"));
    service_path_ = fmt::format("{}/{}", services, service);
  }
  call.path = service_path_ + call.path;
  return Send(call);
}

Result<json> ApiClient::Send(const Call& call) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 curl_easy_cleanup);
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(
      curl_slist_append(nullptr, "Content-Type: application/json"), curl_slist_free_all);
  if (!curl || !headers) return Fail(ErrorCode::kExhausted, "out of memory");
  Answer answer;
  std::stop_token stop = stop_;
  const std::string url = server_.url + call.path;
  CURL* handle = curl.get();
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  const HttpProxy proxy = ProxyFor(server_.url);
  curl_easy_setopt(handle, CURLOPT_PROXY, proxy.url.c_str());
  curl_easy_setopt(handle, CURLOPT_NOPROXY, proxy.except.c_str());
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, static_cast<long>(kConnectTimeout.count()));
  curl_easy_setopt(handle, CURLOPT_TIMEOUT, static_cast<long>(call.timeout.count()));
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, call.method);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, Append);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, StopRequested);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &stop);
  if (!server_.key_id.empty()) {
    curl_easy_setopt(handle, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(handle, CURLOPT_USERNAME, server_.key_id.c_str());
    curl_easy_setopt(handle, CURLOPT_PASSWORD, server_.key_secret.c_str());
  }
  if (!server_.ca_file.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, server_.ca_file.c_str());
  if (!call.body.empty()) {
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, static_cast<long>(call.body.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, call.body.c_str());
  }
  const CURLcode code = curl_easy_perform(handle);
  if (stop.stop_requested()) return Fail(ErrorCode::kCancelled, "stopped");
  if (answer.too_large) return Fail(ErrorCode::kExhausted, "the server's answer is too large");
  curl_off_t connected_after = 0;
  curl_easy_getinfo(handle, CURLINFO_CONNECT_TIME_T, &connected_after);
  if (code == CURLE_OPERATION_TIMEDOUT && connected_after > 0) {
    return NotAnswered(server_.url, call.method, call.timeout);
  }
  if (code != CURLE_OK) return Unreachable(server_.url, code);
  long http_status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &http_status);
  return ResultOf(server_.url, http_status, answer.body);
}

}  // namespace penstock::cli
