#include "clickhouse/embedded_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/clock.h"
#include "base/random.h"
#include "clickhouse/fake_server.h"

namespace penstock::clickhouse {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// The helper is a script here: what the real one does, the system tests see.
class EmbeddedServerTest : public ::testing::Test {
 protected:
  EmbeddedServerTest() : folder_(fs::temp_directory_path() / ("penstock-" + RandomUuid())) {
    fs::create_directories(folder_);
    setenv("PENSTOCK_CLICKHOUSE_HELPER", helper().c_str(), 1);
  }
  void TearDown() override {
    unsetenv("PENSTOCK_CLICKHOUSE_HELPER");
    fs::remove_all(folder_);
  }

  std::string helper() const { return folder_ / "helper"; }
  std::string data_dir() const { return folder_ / "data"; }
  std::string log() const { return data_dir() + "/server.log"; }
  void WriteHelper(std::string_view script) const {
    std::ofstream(helper()) << "#!/bin/sh\n" << script;
    chmod(helper().c_str(), 0700);
  }
  Result<std::unique_ptr<EmbeddedServer>> Start(uint16_t http_port = 0) const {
    return EmbeddedServer::Start({.data_dir = data_dir(),
                                  .http_port = http_port,
                                  .tcp_port = 0,
                                  .start_timeout = std::chrono::milliseconds(300),
                                  .stop_timeout = std::chrono::milliseconds(100),
                                  .log_bytes_max = 100'000},
                                 {});
  }

 private:
  const fs::path folder_;
};

TEST_F(EmbeddedServerTest, NamesTheMissingHelper) {
  const auto server = Start();
  ASSERT_FALSE(server.has_value());
  EXPECT_EQ(server.error().code, ErrorCode::kNeedsUser);
  EXPECT_THAT(server.error().message, HasSubstr(helper()));
}

TEST_F(EmbeddedServerTest, RepeatsTheWordsOfAServerThatEnds) {
  WriteHelper("echo no libchdb.so >&2\nexit 1\n");
  const auto server = Start();
  ASSERT_FALSE(server.has_value());
  EXPECT_EQ(server.error().code, ErrorCode::kNeedsUser);
  EXPECT_THAT(server.error().message, HasSubstr("no libchdb.so"));
}

TEST_F(EmbeddedServerTest, SaysWhichPortIsTaken) {
  WriteHelper("exec sleep 100\n");
  FakeServer other([](FakeServer::Connection&) {});
  const auto server = Start(static_cast<uint16_t>(other.port()));
  ASSERT_FALSE(server.has_value());
  EXPECT_EQ(server.error().code, ErrorCode::kConflict);
  EXPECT_THAT(server.error().message, HasSubstr(std::to_string(other.port())));
}

TEST_F(EmbeddedServerTest, KeepsOnlyTheLatestOutput) {
  // About 2 MB while it is waited for, by one process that never opens its output again.
  WriteHelper(
      "exec awk 'BEGIN { for (i = 0; i < 20; ++i) { for (j = 0; j < 1000; ++j) "
      "printf \"%99d\\n\", i; fflush(); system(\"sleep 0.03\") } system(\"sleep 100\") }'\n");
  ASSERT_FALSE(Start().has_value());
  EXPECT_LT(fs::file_size(log()), 400'000U);
  EXPECT_GT(fs::file_size(log() + ".1"), 100'000U);
  EXPECT_LT(fs::file_size(log() + ".1"), 400'000U);
}

TEST_F(EmbeddedServerTest, EndsAServerThatNeverAnswersAndIgnoresTheRequest) {
  WriteHelper(
      "trap '' TERM\necho $$ > \"$2/pid\"\necho $* > \"$2/args\"\nwhile :; do sleep 1; done\n");
  const auto server = Start();
  ASSERT_FALSE(server.has_value());
  EXPECT_EQ(server.error().code, ErrorCode::kRetry);
  pid_t pid = 0;
  std::ifstream(data_dir() + "/pid") >> pid;
  ASSERT_GT(pid, 0);
  EXPECT_EQ(kill(pid, 0), -1);
  std::string arguments;
  std::getline(std::ifstream(data_dir() + "/args"), arguments);
  EXPECT_THAT(arguments, HasSubstr("--parent-pid " + std::to_string(getpid())));
}

}  // namespace
}  // namespace penstock::clickhouse
