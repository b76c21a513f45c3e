#include "cli/pipe_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "base/check.h"
#include "cli/yaml.h"
#include "pipe/spec.h"

namespace penstock::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

class PipeFileTest : public testing::Test {
 protected:
  PipeFileTest() {
    std::string name = (fs::temp_directory_path() / "penstock-XXXXXX").string();
    PENSTOCK_CHECK(::mkdtemp(name.data()) != nullptr);
    folder_ = name;
  }
  ~PipeFileTest() override { fs::remove_all(folder_); }

  Result<json> Read(const std::string& credentials, const std::string& clickhouse = "{}") {
    std::ofstream(folder_ / "pipe.yaml") << "source: {mysql: {credentials: " << credentials
                                         << "}}\ndestination: {clickhouse: " << clickhouse << "}\n";
    return ReadPipeFile(folder_ / "pipe.yaml");
  }
  json Password(const std::string& credentials) {
    const Result<json> body = Read(credentials);
    EXPECT_TRUE(body) << body.error().message;
    return body ? (*body)["source"]["mysql"]["credentials"] : json();
  }
  std::string ErrorOf(const std::string& credentials) {
    const Result<json> body = Read(credentials);
    return body ? "no error" : body.error().message;
  }

  fs::path folder_;
};

TEST_F(PipeFileTest, PasswordsComeFromWhereTheyAre) {
  std::ofstream(folder_ / "secret") << "from file\n";
  ::setenv("PENSTOCK_TEST_PASSWORD", "from environment", 1);
  EXPECT_EQ(Password("{username: u, password: plain}")["password"], "plain");
  EXPECT_EQ(Password("{username: u, passwordFile: secret}"),
            json::parse(R"({"username": "u", "password": "from file"})"));
  EXPECT_EQ(Password("{passwordFile: " + (folder_ / "secret").string() + "}")["password"],
            "from file");
  EXPECT_EQ(Password("{passwordEnv: PENSTOCK_TEST_PASSWORD}")["password"], "from environment");
  const auto body = Read("{}", "{url: x, passwordEnv: PENSTOCK_TEST_PASSWORD}");
  ASSERT_TRUE(body);
  EXPECT_EQ((*body)["destination"]["clickhouse"]["password"], "from environment");
}

TEST_F(PipeFileTest, WhatIsMissingIsNamed) {
  EXPECT_THAT(ErrorOf("{passwordFile: absent}"),
              HasSubstr("source.mysql.credentials.passwordFile: cannot read"));
  EXPECT_EQ(ErrorOf("{passwordEnv: PENSTOCK_TEST_ABSENT}"),
            "source.mysql.credentials.passwordEnv: the environment has no PENSTOCK_TEST_ABSENT");
  EXPECT_THAT(ErrorOf("{password: a, passwordEnv: b}"), HasSubstr("give one of"));
  EXPECT_THAT(ErrorOf("{passwordFile: 5}"), HasSubstr("must be a string"));
}

TEST_F(PipeFileTest, OtherShapesAreLeftToTheServer) {
  std::ofstream(folder_ / "pipe.yaml") << "[1, 2]";
  EXPECT_EQ(*ReadPipeFile(folder_ / "pipe.yaml"), json::parse("[1, 2]"));
  EXPECT_EQ(ErrorOf("5"), "no error");
}

// Each example is a pipe the server would take.
TEST(Examples, AreValid) {
  ::setenv("PENSTOCK_SOURCE_PASSWORD", "x", 1);
  ::setenv("CLICKHOUSE_PASSWORD", "x", 1);
  int examples = 0;
  const fs::path folder = fs::path(PENSTOCK_TESTDATA) / ".." / ".." / "examples";
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    ++examples;
    Result<json> body = ReadYamlFile(entry.path());
    ASSERT_TRUE(body) << body.error().message;
    // The file of a password is the user's to make.
    json& credentials = (*body)["source"]["mysql"]["credentials"];
    if (credentials.erase("passwordFile") > 0) credentials["password"] = "x";
    ASSERT_TRUE(ResolvePassword(credentials, folder, ""));
    if ((*body)["destination"].contains("clickhouse")) {
      ASSERT_TRUE(ResolvePassword((*body)["destination"]["clickhouse"], folder, ""));
    }
    const auto spec = pipe::ParsePipeSpec(*body);
    EXPECT_TRUE(spec) << entry.path() << ": " << spec.error().message;
  }
  EXPECT_GE(examples, 3);
}

}  // namespace
}  // namespace penstock::cli
