#include "cli/serve_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "base/check.h"
#include "cli/memory_limit.h"

namespace penstock::cli {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class ServeConfigTest : public testing::Test {
 protected:
  ServeConfigTest() {
    std::string name = (fs::temp_directory_path() / "penstock-XXXXXX").string();
    PENSTOCK_CHECK(::mkdtemp(name.data()) != nullptr);
    folder_ = name;
  }
  ~ServeConfigTest() override { fs::remove_all(folder_); }

  Result<ServeOptions> Read(const std::string& text) {
    std::ofstream(folder_ / "penstock.yaml") << text;
    ServeOptions options;
    PENSTOCK_TRY(ReadServeConfig(folder_ / "penstock.yaml", options));
    return options;
  }
  std::string ErrorOf(const std::string& text) {
    const auto options = Read(text);
    return options ? "no error" : options.error().message;
  }

  fs::path folder_;
};

TEST_F(ServeConfigTest, EverythingIsRead) {
  std::ofstream(folder_ / "secret") << "s3cret\n";
  const auto options = Read(R"(
listen: "[::1]:9000"
allowedHosts: [penstock.internal]
dataDir: data
secretKeyFile: /etc/key
logLevel: debug
embeddedClickhouse: false
clickhouse: {url: "https://x:8443", user: u, passwordFile: secret, httpPort: 1, tcpPort: 2,
             skipCertVerification: true, compression: none}
memory: {limit: 512MiB}
)");
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->listen.host, "::1");
  EXPECT_EQ(options->listen.port, 9000);
  EXPECT_THAT(options->allowed_hosts, ElementsAre("penstock.internal"));
  EXPECT_EQ(options->data_dir, folder_ / "data");
  EXPECT_EQ(options->secret_key_file, "/etc/key");
  EXPECT_EQ(options->log_level, LogLevel::kDebug);
  ASSERT_TRUE(options->clickhouse);
  EXPECT_EQ(options->clickhouse->password, "s3cret");
  EXPECT_TRUE(options->clickhouse->skip_cert_verification);
  EXPECT_EQ(options->clickhouse->compression, clickhouse::Compression::kNone);
  EXPECT_EQ(options->clickhouse_tcp_port, 2);
  EXPECT_EQ(options->memory_limit_bytes, 512u * 1024 * 1024);
}

TEST_F(ServeConfigTest, AnEmptyFileChangesNothing) {
  const auto options = Read("# nothing\n");
  ASSERT_TRUE(options);
  EXPECT_EQ(options->listen.host, "127.0.0.1");
  EXPECT_EQ(options->listen.port, 8124);
  EXPECT_FALSE(options->clickhouse);
}

TEST_F(ServeConfigTest, WrongValuesAreNamed) {
  EXPECT_THAT(ErrorOf("listne: x"), HasSubstr("listne: unknown field"));
  EXPECT_THAT(ErrorOf("testLimits: true"), HasSubstr("testLimits: unknown field"));
  EXPECT_THAT(ErrorOf("listen: nowhere"), HasSubstr("listen: must be HOST:PORT"));
  EXPECT_THAT(ErrorOf("logLevel: loud"), HasSubstr("logLevel: must be one of"));
  EXPECT_THAT(ErrorOf("memory: {limit: much}"), HasSubstr("memory.limit: must be a size"));
  EXPECT_THAT(ErrorOf("clickhouse: {httpPort: 70000}"), HasSubstr("clickhouse.httpPort"));
  EXPECT_THAT(ErrorOf("[1]"), HasSubstr("must be an object"));
}

TEST(ListenAddress, IsHostAndPort) {
  EXPECT_EQ(ParseListenAddress("0.0.0.0:0")->port, 0);
  EXPECT_EQ(ParseListenAddress("localhost:80")->host, "localhost");
  EXPECT_EQ(ParseListenAddress("[::]:80")->host, "::");
  for (const char* text : {"", ":80", "localhost", "localhost:", "localhost:x", "localhost:65536",
                           "::1:80", "8124", "localhost:-1", "[]:80"}) {
    EXPECT_FALSE(ParseListenAddress(text)) << text;
  }
}

TEST(MemoryLimit, SizesHaveUnits) {
  EXPECT_EQ(*ParseBytes("1024"), 1024u);
  EXPECT_EQ(*ParseBytes("2KiB"), 2048u);
  EXPECT_EQ(*ParseBytes("1GiB"), 1024u * 1024 * 1024);
  for (const char* text : {"", "MiB", "1.5GiB", "-1", "1 GiB", "1TB", "99999999999999GiB"}) {
    EXPECT_FALSE(ParseBytes(text)) << text;
  }
}

TEST(MemoryLimit, TheDefaultIsWithinItsBounds) {
  EXPECT_GT(DefaultMemoryLimitBytes(), 16u * 1024 * 1024);
  EXPECT_LE(DefaultMemoryLimitBytes(), 1024u * 1024 * 1024);
}

}  // namespace
}  // namespace penstock::cli
