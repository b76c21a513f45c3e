#include "cli/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json Parsed(const std::string& text) {
  const Result<json> parsed = ParseYaml(text);
  EXPECT_TRUE(parsed) << text << ": " << parsed.error().message;
  return parsed ? *parsed : json("failed");
}

std::string ErrorOf(const std::string& text) {
  const Result<json> parsed = ParseYaml(text);
  return parsed ? "no error" : parsed.error().message;
}

TEST(Yaml, PlainScalarsAreWhatTheyLookLike) {
  EXPECT_EQ(Parsed("3306"), 3306);
  EXPECT_EQ(Parsed("-5"), -5);
  EXPECT_EQ(Parsed("+5"), 5);
  EXPECT_EQ(Parsed("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(Parsed("1.5e3"), 1500.0);
  EXPECT_EQ(Parsed("true"), true);
  EXPECT_EQ(Parsed("False"), false);
  EXPECT_EQ(Parsed("~"), json());
  EXPECT_EQ(Parsed("a:"), json::parse(R"({"a": null})"));
}

TEST(Yaml, EverythingElseIsAString) {
  for (const char* text : {"yes", "no", "on", "NO", "0x1F", "1_000", "12:30", "1.2.3", "-x", "e5",
                           "+", "db.example.com"}) {
    EXPECT_EQ(Parsed(text), text);
  }
}

TEST(Yaml, QuotedScalarsStayStrings) {
  EXPECT_EQ(Parsed("'3306'"), "3306");
  EXPECT_EQ(Parsed("\"true\""), "true");
  EXPECT_EQ(Parsed("''"), "");
  EXPECT_EQ(Parsed("a: |\n  12\n"), json::parse(R"({"a": "12\n"})"));
  EXPECT_EQ(Parsed("!!str 12"), "12");
}

TEST(Yaml, NestsAsWritten) {
  EXPECT_EQ(Parsed("a:\n  - {b: 1, c: [x, 2]}\n  - d\n"),
            json::parse(R"({"a": [{"b": 1, "c": ["x", 2]}, "d"]})"));
}

TEST(Yaml, JsonIsReadAsJson) {
  EXPECT_EQ(Parsed(R"({"a": "\ud83d\ude00", "b": [1, "2"]})"),
            json::parse(R"({"a": "😀", "b": [1, "2"]})"));
  EXPECT_EQ(Parsed("{a: 1}"), json::parse(R"({"a": 1})"));
}

TEST(Yaml, KeysGivenTwiceAreRefused) {
  EXPECT_EQ(ErrorOf("a: 1\nb:\n  c: 1\n  c: 2\n"), "line 4: c is given twice");
  EXPECT_THAT(ErrorOf("{a: 1, a: 1}"), HasSubstr("a is given twice"));
  EXPECT_THAT(ErrorOf(R"({"a": 1, "a": 2})"), HasSubstr("given twice"));
}

TEST(Yaml, WrongTextIsRefusedWithItsLine) {
  EXPECT_THAT(ErrorOf("a: 1\nb: [1, 2\nc: 3"), HasSubstr("line "));
  EXPECT_THAT(ErrorOf("? [a]\n: 1"), HasSubstr("plain word"));
}

TEST(Yaml, ASecondDocumentIsRefused) {
  EXPECT_EQ(ErrorOf("a: 1\n---\nb: 2\n"),
            "line 3: another document begins; give each its own file");
  EXPECT_TRUE(ParseYaml("---\na: 1\n...\n"));
  EXPECT_TRUE(ParseYaml(""));
}

TEST(Yaml, SmallTextsThatGrowWithoutEndAreRefused) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb +=
        fmt::format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i, i - 1);
  }
  EXPECT_THAT(ErrorOf(bomb), HasSubstr("too many values"));
  EXPECT_THAT(ErrorOf(std::string(100, '[') + std::string(100, ']')), HasSubstr("too deep"));
}

TEST(Yaml, AMissingFileIsSaid) {
  const auto parsed = ReadYamlFile("/absent/file.yaml");
  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error().message, HasSubstr("/absent/file.yaml: No such file"));
  EXPECT_FALSE(ReadYamlFile("/"));
}

}  // namespace
}  // namespace penstock::cli
