#include "mysql/binlog/json_path.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace penstock::binlog {
namespace {

using std::string_view_literals::operator""sv;

// Each leg on its own: "<key>", "[3]", "[-1]" for [last-1].
std::string Legs(std::string_view path) {
  std::deque<std::string> unescaped;
  std::string text;
  JsonPathReader reader(path);
  while (!reader.AtEnd()) {
    const JsonPathLeg leg = reader.Next(unescaped);
    if (!reader.ok()) break;
    text += leg.is_key ? fmt::format("<{}>", leg.key)
                       : fmt::format("[{}{}]", leg.from_end ? "-" : "", leg.index);
  }
  return reader.ok() ? text : "malformed";
}

TEST(JsonPath, ReadsWhatTheServerWrites) {
  EXPECT_EQ(Legs("$"), "");
  EXPECT_EQ(Legs("$.a.b2"), "<a><b2>");
  EXPECT_EQ(Legs(R"($."a b".""."x.y[0]"."*")"), "<a b><><x.y[0]><*>");
  EXPECT_EQ(Legs("$[0][17].k[4294967295]"), "[0][17]<k>[4294967295]");
  EXPECT_EQ(Legs("$[last].a[last-1]"), "[-0]<a>[-1]");
  EXPECT_EQ(Legs("$.last.é"), "<last><é>");
}

TEST(JsonPath, KeysAreUnescaped) {
  EXPECT_EQ(Legs(R"($."a\"b"."\\"."\b\t\n\f\r\/"."\u0001\u001f")"),
            "<a\"b><\\><\b\t\n\f\r/><\x01\x1f>");
  EXPECT_EQ(Legs(R"($."\u0000")"), "<\0>"sv);
  EXPECT_EQ(Legs("$.\"\x7f\".\"水\""), "<\x7f><水>");
}

TEST(JsonPath, OtherFormsAreMalformed) {
  for (const auto path : {""sv,
                          "a"sv,
                          "$a"sv,
                          "$ .a"sv,
                          "$."sv,
                          "$.."sv,
                          "$.a."sv,
                          "$.[0]"sv,
                          "$.\""sv,
                          "$.\"a"sv,
                          "$.\"a\\\""sv,
                          "$.\"\\x\""sv,
                          "$.\"\\u12\""sv,
                          "$.\"\\u12g4\""sv,
                          "$.\"\\u0080\""sv,
                          "$.\"\\u+001\""sv,
                          "$.\"a\"b"sv,
                          "$["sv,
                          "$[]"sv,
                          "$[-1]"sv,
                          "$[1"sv,
                          "$[1x]"sv,
                          "$[ 1]"sv,
                          "$[4294967296]"sv,
                          "$[last"sv,
                          "$[last-]"sv,
                          "$[last+1]"sv,
                          "$[0 to 1]"sv,
                          "$[*]"sv,
                          "$**.a"sv}) {
    EXPECT_EQ(Legs(path), "malformed") << path;
  }
}

}  // namespace
}  // namespace penstock::binlog
