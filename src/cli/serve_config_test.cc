#include "cli/serve_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/check.h"

namespace penstock::cli {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr char kDocument[] = PENSTOCK_TESTDATA "/../../docs/configuration.md";
constexpr char kExample[] = PENSTOCK_TESTDATA "/../../deploy/penstock.yaml";

std::string TextOf(const fs::path& file) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// With PENSTOCK_WRITE_DOCS set, writes the document first.
TEST(ConfigurationDoc, TheDocumentIsTheCodesOwn) {
  if (std::getenv("PENSTOCK_WRITE_DOCS") != nullptr) {
    std::ofstream(kDocument) << ConfigurationDocument();
  }
  EXPECT_EQ(TextOf(kDocument), ConfigurationDocument())
      << "run: PENSTOCK_WRITE_DOCS=1 build/dev/cli_test --gtest_filter='ConfigurationDoc*'";
}

class ServeConfigTest : public testing::Test {
 protected:
  ServeConfigTest() {
    std::string name = (fs::temp_directory_path() / "penstock-XXXXXX").string();
    PENSTOCK_CHECK(::mkdtemp(name.data()) != nullptr);
    folder_ = name;
  }
  ~ServeConfigTest() override {
    fs::remove_all(folder_);
    for (const ServeOption& option : ServeOptionTable()) ::unsetenv(option.Variable().c_str());
  }

  Result<ServeConfig> Read(const std::string& text) {
    const fs::path file = folder_ / "penstock.yaml";
    std::ofstream(file) << text;
    return LoadServeConfig({.config = file, .flags = flags_});
  }
  std::string ErrorOf(const std::string& text) {
    const auto config = Read(text);
    if (config) return "no error";
    const std::string& message = config.error().message;
    return message.substr(message.find("line ") == std::string::npos ? 0 : message.find("line "));
  }
  void Flag(const char* key, const char* value) {
    const ServeOption* option = FindServeOption(key);
    flags_.push_back({.option = option, .value = value, .place = option->Flag()});
  }

  fs::path folder_;
  std::vector<ServeSetting> flags_;
};

TEST_F(ServeConfigTest, EverythingIsRead) {
  std::ofstream(folder_ / "secret") << "s3cret\n";
  const auto config = Read(R"(
listen: "[::1]:9000"
allowedHosts: [penstock.internal, other]
dataDir: data
secretKeyFile: /etc/key
log: {level: debug, format: json, file: /var/log/penstock.log}
embeddedClickhouse: false
clickhouse: {url: "https://x:8443", user: 0123, passwordFile: secret, httpPort: 1, tcpPort: 2,
             caCertificate: pem, skipCertVerification: true, compression: none}
memory: {limit: 512MiB}
)");
  ASSERT_TRUE(config) << config.error().message;
  const ServeOptions& options = config->options;
  EXPECT_EQ(options.listen.host, "::1");
  EXPECT_EQ(options.listen.port, 9000);
  EXPECT_THAT(options.allowed_hosts, ElementsAre("penstock.internal", "other"));
  EXPECT_EQ(options.data_dir, folder_ / "data");
  EXPECT_EQ(options.secret_key_file, "/etc/key");
  EXPECT_EQ(options.log_level, LogLevel::kDebug);
  EXPECT_EQ(options.log_format, LogFormat::kJson);
  EXPECT_EQ(options.log_file, "/var/log/penstock.log");
  EXPECT_EQ(options.clickhouse.user, "0123");  // as it is written
  EXPECT_EQ(options.clickhouse.password, "s3cret");
  EXPECT_EQ(options.clickhouse.ca_certificate, "pem");
  EXPECT_TRUE(options.clickhouse.skip_cert_verification);
  EXPECT_EQ(options.clickhouse.compression, clickhouse::Compression::kNone);
  EXPECT_EQ(options.clickhouse_tcp_port, 2);
  EXPECT_EQ(options.memory_limit_bytes, 512u * 1024 * 1024);
}

TEST_F(ServeConfigTest, AnEmptyFileChangesNothing) {
  const auto config = Read("# nothing\n");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->options.listen.host, "127.0.0.1");
  EXPECT_EQ(config->options.listen.port, 8124);
  EXPECT_EQ(config->options.clickhouse.url, "");
}

TEST_F(ServeConfigTest, AFlagGoesBeforeTheEnvironmentAndThatBeforeTheFile) {
  const std::string file = "listen: a:1\nmemory: {limit: 1MiB}\nlog:\n  level: error\n";
  ::setenv("PENSTOCK_LISTEN", "b:2", 1);
  ::setenv("PENSTOCK_MEMORY_LIMIT", "2MiB", 1);
  ::setenv("PENSTOCK_LOG_LEVEL", "", 1);
  ::setenv("PENSTOCK_DATA_DIR", "here", 1);
  Flag("listen", "c:3");
  const auto config = Read(file);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->options.listen.host, "c");
  EXPECT_EQ(config->options.memory_limit_bytes, 2u << 20);
  EXPECT_EQ(config->options.log_level, LogLevel::kError);
  EXPECT_EQ(config->options.data_dir, "here");
}

TEST_F(ServeConfigTest, WrongKeysAndValuesAreNamedWithTheirPlace) {
  EXPECT_THAT(ErrorOf("\nlistne: x"), HasSubstr("line 2: listne: unknown key"));
  EXPECT_THAT(ErrorOf("log: {levle: x}"), HasSubstr("line 1: log.levle: unknown key"));
  EXPECT_THAT(ErrorOf("log: debug"),
              HasSubstr("line 1: log: holds keys, not a value: log.level, log.format, log.file"));
  EXPECT_THAT(ErrorOf("testLimits: true"), HasSubstr("testLimits: unknown key"));
  EXPECT_THAT(ErrorOf("listen: a:1\n\nlisten: b:1"), HasSubstr("line 3: listen is given twice"));
  EXPECT_THAT(ErrorOf("log: {level: info}\nlog: {format: text}"),
              HasSubstr("line 2: log is given twice"));
  EXPECT_THAT(ErrorOf("log.level: info\nlog: {level: info}"),
              HasSubstr("line 2: log.level is given twice"));
  EXPECT_THAT(ErrorOf("listen:"), HasSubstr("line 1: listen has no value"));
  EXPECT_THAT(ErrorOf("listen: [a:1]"), HasSubstr("line 1: listen: must be one value"));
  EXPECT_THAT(ErrorOf("allowedHosts: [[a]]"), HasSubstr("allowedHosts: must hold plain values"));
  EXPECT_THAT(ErrorOf("listen: nowhere"), HasSubstr("line 1: listen: must be HOST:PORT"));
  EXPECT_THAT(ErrorOf("log: {level: loud}"), HasSubstr("line 1: log.level: must be one of"));
  EXPECT_THAT(ErrorOf("memory: {limit: much}"), HasSubstr("memory.limit: must be a size"));
  EXPECT_THAT(ErrorOf("metaColumns: mine"), HasSubstr("metaColumns: must be one of"));
  EXPECT_THAT(ErrorOf("embeddedClickhouse: yes"), HasSubstr("must be true or false"));
  EXPECT_THAT(ErrorOf("clickhouse: {httpPort: 70000}"), HasSubstr("clickhouse.httpPort: must be"));
  EXPECT_THAT(ErrorOf("[1]"), HasSubstr("line 1: must be keys and values"));
  EXPECT_THAT(ErrorOf("a: [1"), HasSubstr("line "));
  EXPECT_THAT(ErrorOf("embeddedClickhouse: true\nclickhouse: {url: http://u}"),
              HasSubstr("not both"));
  EXPECT_THAT(ErrorOf("clickhouse: {url: nonsense}"),
              HasSubstr("line 1: clickhouse.url: must begin with http:// or https://"));
  EXPECT_THAT(ErrorOf("clickhouse: {url: \"http://\"}"), HasSubstr("must name a host"));
  EXPECT_THAT(ErrorOf("memory: {limit: 1KiB}"), HasSubstr("memory.limit: must be 1MiB or more"));
  EXPECT_THAT(ErrorOf("memory: 5"), HasSubstr("memory: holds keys, not a value: memory.limit"));
  EXPECT_THAT(ErrorOf("listen: a:1\n---\nlisten: b:1\n"), HasSubstr("another document begins"));
  EXPECT_THAT(ErrorOf("clickhouse: {user: u}"), HasSubstr("need clickhouse.url"));
  ::setenv("PENSTOCK_LISTEN", "nowhere", 1);
  EXPECT_EQ(ErrorOf(""), "PENSTOCK_LISTEN: must be HOST:PORT, as in 127.0.0.1:8124");
  ::unsetenv("PENSTOCK_LISTEN");
  Flag("log.format", "xml");
  EXPECT_EQ(ErrorOf(""), "--log-format: must be one of: text, json");
}

TEST_F(ServeConfigTest, ErrorsHoldNoSecrets) {
  const auto twice = ErrorOf("clickhouse: {url: http://u, password: s3cret, passwordFile: s3cret}");
  EXPECT_THAT(twice, HasSubstr("the password is given twice"));
  EXPECT_THAT(twice, Not(HasSubstr("s3cret")));
}

TEST_F(ServeConfigTest, WhatNeedsARestartIsTold) {
  const auto before = Read("listen: a:1\nlog: {level: info}\n");
  const auto after = Read("listen: a:2\nlog: {level: debug}\nmemory: {limit: 1MiB}\n");
  EXPECT_THAT(NeedRestart(*before, *after), ElementsAre("listen", "memory.limit"));
  EXPECT_TRUE(NeedRestart(*after, *after).empty());
}

TEST_F(ServeConfigTest, TheExampleHoldsEverything) {
  const std::string text = TextOf(kExample);
  for (const ServeOption& option : ServeOptionTable()) {
    const std::string word(option.key.substr(option.key.rfind('.') + 1));
    EXPECT_THAT(text, HasSubstr(word + ":")) << option.key;
  }
  const auto config = LoadServeConfig({.config = kExample, .flags = {}});
  EXPECT_TRUE(config) << config.error().message;
}

TEST(ServeOptionTable, NamesAreMadeOfTheKey) {
  const ServeOption* option = FindServeOption("clickhouse.httpPort");
  EXPECT_EQ(option->Flag(), "--clickhouse-http-port");
  EXPECT_EQ(option->Variable(), "PENSTOCK_CLICKHOUSE_HTTP_PORT");
  EXPECT_EQ(FindServeOption("clickhouse.password")->Flag(), "");
  EXPECT_EQ(FindServeOption("nothing"), nullptr);
}

}  // namespace
}  // namespace penstock::cli
