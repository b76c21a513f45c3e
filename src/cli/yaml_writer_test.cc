#include "cli/yaml_writer.h"

#include <gtest/gtest.h>

#include "cli/yaml.h"

namespace penstock::cli {
namespace {

TEST(YamlWriterTest, WhatIsWrittenIsReadBack) {
  const auto value = nlohmann::json::parse(R"({"a": [], "b": {}, "c": [1, -2, 1.5, true, null],
    "d": ["", "x", "true", "no", "012", "1e3", "~", "- a", "a: b", "# c", "'q'", "\"q\"", "a\nb\n",
          " x ", "\u00e4", "ON"], "e": [{"f": 1, "g": {"h": "i"}}, [[2]]]})");
  const std::string text = ToYaml(value);
  const auto read = ParseYaml(text);
  ASSERT_TRUE(read) << text;
  EXPECT_EQ(*read, value) << text;
  EXPECT_EQ(ToYaml(nlohmann::json::parse(R"({"ok": true, "list": [{"a": "b c"}]})")),
            "list:\n  - a: b c\nok: true\n");
}

}  // namespace
}  // namespace penstock::cli
