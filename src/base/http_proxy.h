#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace penstock {

// The proxy that requests to a URL go through, as the environment has it.
struct HttpProxy {
  std::string url;     // "": none
  std::string except;  // hosts that are spoken to directly, as libcurl's CURLOPT_NOPROXY
};

// By HTTPS_PROXY or HTTP_PROXY, as the URL begins, else ALL_PROXY; without those that NO_PROXY
// names, and this machine itself. Each in lower case too, which goes before. `variable` is getenv.
HttpProxy ProxyFor(std::string_view url,
                   const std::function<const char*(const char*)>& variable = nullptr);

}  // namespace penstock
