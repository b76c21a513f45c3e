#include "obs/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock {
namespace {

using testing::MatchesRegex;

std::string Logged(LogLevel level, std::string_view pipe, std::string_view message) {
  testing::internal::CaptureStderr();
  WriteLog(level, pipe, message);
  return testing::internal::GetCapturedStderr();
}

TEST(Log, WritesTimeLevelPipeAndMessage) {
  EXPECT_THAT(
      Logged(LogLevel::kInfo, "shop", "10 rows"),
      MatchesRegex("[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+.[0-9]+Z info shop 10 rows\n"));
  EXPECT_THAT(Logged(LogLevel::kError, "", "gone"), MatchesRegex(".* error - gone\n"));
}

TEST(Log, KeepsARecordOnOneLine) {
  EXPECT_THAT(Logged(LogLevel::kWarning, "a\nb", "first\nsecond\r{}\x1b[2J"),
              MatchesRegex("[^\n]* a b first second \\{\\} \\[2J\n"));
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
}

}  // namespace
}  // namespace penstock
