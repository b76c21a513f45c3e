#include "api/guard.h"

#include <gtest/gtest.h>

namespace penstock::api {
namespace {

// 0: it may go on.
int Checked(std::map<std::string, std::string> headers, std::string method = "GET") {
  HttpRequest head;
  head.method = std::move(method);
  head.headers = std::move(headers);
  const std::vector<std::string> names = {"localhost", "penstock.internal"};
  const auto refusal = CheckRequestHead(head, &names);
  return refusal ? refusal->status : 0;
}

TEST(Guard, OurOwnHostsAreLetThrough) {
  for (const char* host : {"127.0.0.1", "127.0.0.1:8124", "localhost", "LocalHost:8124", "[::1]",
                           "[::1]:8124", "10.0.0.5:1", "penstock.internal:8124"}) {
    EXPECT_EQ(Checked({{"host", host}}), 0) << host;
  }
}

TEST(Guard, OtherHostsAreRefused) {
  for (const char* host : {"", "evil.example", "evil.example:8124", "localhost.evil.example",
                           "127.0.0.1.evil.example", "::1", "[evil]", "[::1", "1.2.3", ":8124"}) {
    EXPECT_EQ(Checked({{"host", host}}), 403) << host;
  }
}

TEST(Guard, OnlyOurOwnPagesAreLetThrough) {
  const std::string host = "127.0.0.1:8124";
  EXPECT_EQ(Checked({{"host", host}, {"origin", "http://127.0.0.1:8124"}}), 0);
  EXPECT_EQ(Checked({{"host", host}, {"origin", "https://127.0.0.1:8124"}}), 0);
  for (const char* origin : {"null", "http://evil.example", "http://127.0.0.1:9999",
                             "http://127.0.0.1", "http://127.0.0.1:8124.evil.example"}) {
    EXPECT_EQ(Checked({{"host", host}, {"origin", origin}}), 403) << origin;
  }
}

TEST(Guard, FormsAreRefused) {
  for (const char* type : {"text/plain", "multipart/form-data; boundary=x",
                           "application/x-www-form-urlencoded", "application/jsonx"}) {
    EXPECT_EQ(Checked({{"host", "localhost"}, {"content-type", type}}, "POST"), 415) << type;
  }
  for (const char* type : {"application/json", "Application/JSON; charset=utf-8"}) {
    EXPECT_EQ(Checked({{"host", "localhost"}, {"content-type", type}}, "POST"), 0) << type;
  }
}

}  // namespace
}  // namespace penstock::api
