#include "base/http_proxy.h"

#include <cstdlib>

namespace penstock {
namespace {

constexpr const char* kThisMachine = "localhost,127.0.0.1,::1";

}  // namespace

HttpProxy ProxyFor(std::string_view url, const std::function<const char*(const char*)>& variable) {
  const auto first = [&](std::initializer_list<const char*> names) -> std::string {
    for (const char* name : names) {
      const char* value = variable ? variable(name) : std::getenv(name);
      if (value != nullptr && *value != '\0') return value;
    }
    return "";
  };
  HttpProxy proxy;
  proxy.url = url.starts_with("https:")
                  ? first({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
                  : first({"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"});
  const std::string except = first({"no_proxy", "NO_PROXY"});
  proxy.except = kThisMachine;
  if (except == "*") {
    proxy.except = except;  // libcurl knows it only alone
  } else if (!except.empty()) {
    proxy.except += "," + except;
  }
  return proxy;
}

}  // namespace penstock
