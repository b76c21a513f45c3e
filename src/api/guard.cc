#include "api/guard.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <string_view>

namespace penstock::api {
namespace {

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

bool IsIpAddress(const std::string& host) {
  in6_addr address{};
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    return ::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &address) == 1;
  }
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1;
}

// "localhost:8124" and "[::1]:8124" without the port.
std::string HostOf(const std::string& authority) {
  const size_t colon = authority.rfind(':');
  const size_t bracket = authority.rfind(']');
  if (colon == std::string::npos || (bracket != std::string::npos && colon < bracket)) {
    return authority;
  }
  return authority.substr(0, colon);
}

bool IsJson(const std::string& content_type) {
  return LowerCase(content_type.substr(0, content_type.find_first_of("; \t"))) ==
         "application/json";
}

}  // namespace

std::optional<Refusal> CheckRequestHead(const HttpRequest& head,
                                        const std::vector<std::string>* names) {
  const std::string authority = LowerCase(head.Header("host"));
  const std::string host = HostOf(authority);
  const auto is_ours = [&] {
    return std::find(names->begin(), names->end(), host) != names->end();
  };
  if (names != nullptr && !IsIpAddress(host) && !is_ours()) {
    return Refusal{.status = 403,
                   .message = "the Host header names a host this server does not know"};
  }
  const std::string origin = LowerCase(head.Header("origin"));
  if (!origin.empty() && origin != "http://" + authority && origin != "https://" + authority) {
    return Refusal{.status = 403, .message = "the Origin header names another site"};
  }
  const std::string content_type = head.Header("content-type");
  if (!content_type.empty() && !IsJson(content_type)) {
    return Refusal{.status = 415, .message = "Content-Type must be application/json"};
  }
  return std::nullopt;
}

std::optional<Refusal> CheckKey(KeyGuard& keys, const HttpRequest& head) {
  const auto unauthorized = [](const char* message) {
    return Refusal{
        .status = 401,
        .message = message,
        .headers = {{"WWW-Authenticate", "Basic realm=\"penstock\", charset=\"UTF-8\""}}};
  };
  switch (keys.Check(head.Header("authorization"))) {
    case KeyGuard::Verdict::kAdmitted:
      return std::nullopt;
    case KeyGuard::Verdict::kNoKey:
      return unauthorized("a key is needed: give its id and secret by HTTP Basic authentication");
    case KeyGuard::Verdict::kWrong:
      return unauthorized("there is no such key");
    case KeyGuard::Verdict::kBusy:
      break;
  }
  return Refusal{.status = 429,
                 .message = "too many keys are being checked; try again",
                 .headers = {{"Retry-After", "1"}, {"X-RateLimit-Reset", "1"}}};
}

}  // namespace penstock::api
