#include "clickhouse/url.h"

namespace penstock::clickhouse {

std::string_view WhyNoUrl(std::string_view url) {
  const bool is_http = url.starts_with("http://") || url.starts_with("https://");
  if (!is_http) return "must begin with http:// or https://";
  const size_t host = url.find("//") + 2;
  if (host == url.size() || url[host] == '/' || url[host] == ':') return "must name a host";
  if (url.find_first_of("@?# \t\r\n") != std::string_view::npos) {
    return "must not hold a user, a query or spaces; user and password have fields";
  }
  return "";
}

}  // namespace penstock::clickhouse
