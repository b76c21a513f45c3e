#include "base/http_proxy.h"

#include <gtest/gtest.h>

#include <map>

namespace penstock {
namespace {

using Environment = std::map<std::string, std::string>;

HttpProxy With(const Environment& environment, std::string_view url) {
  return ProxyFor(url, [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

constexpr std::string_view kHttp = "http://ch:8123";
constexpr std::string_view kHttps = "https://ch:8443";

TEST(HttpProxyTest, NoneWithoutVariables) {
  EXPECT_EQ(With({}, kHttp).url, "");
  EXPECT_EQ(With({{"HTTP_PROXY", ""}}, kHttp).url, "");
}

TEST(HttpProxyTest, GoesByTheScheme) {
  const Environment both = {{"HTTP_PROXY", "a"}, {"HTTPS_PROXY", "b"}};
  EXPECT_EQ(With(both, kHttp).url, "a");
  EXPECT_EQ(With(both, kHttps).url, "b");
  EXPECT_EQ(With({{"HTTP_PROXY", "a"}}, kHttps).url, "");
}

TEST(HttpProxyTest, LowerCaseGoesBefore) {
  EXPECT_EQ(With({{"HTTP_PROXY", "a"}, {"http_proxy", "b"}}, kHttp).url, "b");
}

TEST(HttpProxyTest, OneForAll) {
  EXPECT_EQ(With({{"ALL_PROXY", "a"}}, kHttps).url, "a");
  EXPECT_EQ(With({{"ALL_PROXY", "a"}, {"HTTP_PROXY", "b"}}, kHttp).url, "b");
}

TEST(HttpProxyTest, ExceptThisMachineAndThoseNamed) {
  EXPECT_EQ(With({}, kHttp).except, "localhost,127.0.0.1,::1");
  EXPECT_EQ(With({{"NO_PROXY", "ch,.example"}}, kHttp).except,
            "localhost,127.0.0.1,::1,ch,.example");
  EXPECT_EQ(With({{"no_proxy", "*"}, {"NO_PROXY", "ch"}}, kHttp).except, "*");
}

}  // namespace
}  // namespace penstock
