#include "obs/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace penstock {
namespace {

namespace fs = std::filesystem;
using testing::MatchesRegex;

std::string Logged(LogLevel level, LogSubject subject, std::string_view message) {
  testing::internal::CaptureStderr();
  WriteLog(level, subject, message);
  return testing::internal::GetCapturedStderr();
}

TEST(Log, WritesTimeLevelPipeAndMessage) {
  EXPECT_THAT(
      Logged(LogLevel::kInfo, "shop", "10 rows"),
      MatchesRegex("[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+.[0-9]+Z info shop 10 rows\n"));
  EXPECT_THAT(Logged(LogLevel::kError, "", "gone"), MatchesRegex(".* error - gone\n"));
  EXPECT_THAT(Logged(LogLevel::kError, {"shop", "shop.t"}, "gone"),
              MatchesRegex(".* error shop \\[shop.t\\] gone\n"));
}

TEST(Log, KeepsARecordOnOneLine) {
  EXPECT_THAT(Logged(LogLevel::kWarning, "a\nb", "first\nsecond\r{}\x1b[2J"),
              MatchesRegex("[^\n]* a b first second \\{\\} \\[2J\n"));
}

TEST(Log, WritesJson) {
  SetLogFormat(LogFormat::kJson);
  const std::string whole = Logged(LogLevel::kInfo, {"shop", "shop.\"t\""}, "two\nlines");
  const std::string bare = Logged(LogLevel::kWarning, "", "gone");
  SetLogFormat(LogFormat::kText);
  EXPECT_THAT(
      whole,
      MatchesRegex("\\{\"time\":\"[^\"]*Z\",\"level\":\"info\",\"pipe\":\"shop\","
                   "\"table\":\"shop.\\\\\"t\\\\\"\",\"message\":\"two\\\\u000alines\"\\}\n"));
  EXPECT_THAT(
      bare, MatchesRegex("\\{\"time\":\"[^\"]*\",\"level\":\"warning\",\"message\":\"gone\"\\}\n"));
}

TEST(Log, WritesToAFileThatMayBeMovedAway) {
  std::string folder = (fs::temp_directory_path() / "penstock-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const fs::path file = fs::path(folder) / "log";
  const auto lines = [](const fs::path& of) {
    std::ifstream stream(of);
    return std::count(std::istreambuf_iterator<char>(stream), {}, '\n');
  };
  ASSERT_TRUE(SetLogFile(file));
  LogInfo("", "one");
  fs::rename(file, file.string() + ".1");
  LogInfo("", "two");
  ASSERT_TRUE(SetLogFile(file));
  LogInfo("", "three");
  const Status failed = SetLogFile("/nowhere/log");
  LogInfo("", "four");
  ASSERT_TRUE(SetLogFile(""));
  EXPECT_EQ(failed.error().message,
            "the log file /nowhere/log cannot be opened: No such file or directory");
  EXPECT_EQ(lines(file.string() + ".1"), 2);
  EXPECT_EQ(lines(file), 2);
  fs::remove_all(folder);
}

TEST(Log, DropsRecordsBelowTheLevel) {
  SetLogLevel(LogLevel::kWarning);
  testing::internal::CaptureStderr();
  LogInfo("shop", "unseen {}", 1);
  LogWarning("shop", "seen {}", 2);
  const std::string text = testing::internal::GetCapturedStderr();
  SetLogLevel(LogLevel::kInfo);
  EXPECT_EQ(text.find("unseen"), std::string::npos);
  EXPECT_NE(text.find("seen 2"), std::string::npos);
}

TEST(Log, ParsesLevelNames) {
  EXPECT_EQ(ParseLogLevel("debug"), LogLevel::kDebug);
  EXPECT_EQ(ParseLogLevel("error"), LogLevel::kError);
  EXPECT_EQ(ParseLogLevel("loud"), std::nullopt);
  EXPECT_EQ(ParseLogFormat("json"), LogFormat::kJson);
  EXPECT_EQ(ParseLogFormat("xml"), std::nullopt);
}

}  // namespace
}  // namespace penstock
