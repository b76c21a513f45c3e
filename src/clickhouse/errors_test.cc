#include "clickhouse/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::clickhouse {
namespace {

using ::testing::HasSubstr;

TEST(ExceptionErrorTest, NamesTheReaction) {
  const std::pair<int, ErrorCode> expected[] = {
      {60, ErrorCode::kNeedsUser},  {81, ErrorCode::kNeedsUser},  {497, ErrorCode::kNeedsUser},
      {516, ErrorCode::kNeedsUser}, {159, ErrorCode::kRetry},     {202, ErrorCode::kRetry},
      {209, ErrorCode::kRetry},     {210, ErrorCode::kRetry},     {241, ErrorCode::kRetry},
      {243, ErrorCode::kRetry},     {252, ErrorCode::kRetry},     {394, ErrorCode::kRetry},
      {117, ErrorCode::kInternal},  {62, ErrorCode::kInternal},   {319, ErrorCode::kUnknownOutcome},
      {57, ErrorCode::kConflict},   {469, ErrorCode::kNeedsUser}, {99999, ErrorCode::kRetry}};
  for (const auto& [code, reaction] : expected) {
    const Error error = ExceptionError(code, "text");
    EXPECT_EQ(error.code, reaction) << code;
    EXPECT_EQ(error.native_code, code);
    EXPECT_EQ(error.origin, "destination");
  }
}

// Text of ClickHouse 26.7 for a wrong password.
TEST(ExceptionErrorTest, KeepsTheSentenceAndAddsARemedy) {
  const Error error = ExceptionError(
      516,
      "Code: 516. DB::Exception: bob: Authentication failed: password is incorrect, or there is no "
      "user with such name. (AUTHENTICATION_FAILED) (version 26.7.2.1)\n\nIf you use ClickHouse "
      "Cloud, the password can be reset");
  EXPECT_EQ(error.message,
            "bob: Authentication failed: password is incorrect, or there is no user with such "
            "name. (AUTHENTICATION_FAILED)");
  EXPECT_THAT(error.remedy, HasSubstr("password"));
}

TEST(ExceptionErrorTest, BoundsAndNeverEmpties) {
  EXPECT_EQ(ExceptionError(1, std::string(1 << 20, 'x')).message.size(), 2000U);
  EXPECT_FALSE(ExceptionError(1, "").message.empty());
}

TEST(HttpStatusErrorTest, TellsPassingFromLasting) {
  for (const long status : {408L, 429L, 500L, 502L, 503L, 504L}) {
    EXPECT_EQ(HttpStatusError(status, "").code, ErrorCode::kRetry) << status;
  }
  for (const long status : {301L, 400L, 401L, 403L, 404L}) {
    EXPECT_EQ(HttpStatusError(status, "").code, ErrorCode::kNeedsUser) << status;
  }
}

TEST(ExceptionCodeOfTest, ReadsOnlyItsForm) {
  EXPECT_EQ(ExceptionCodeOf("Code: 60. DB::Exception: x"), 60);
  EXPECT_EQ(ExceptionCodeOf("Code: x"), 0);
  EXPECT_EQ(ExceptionCodeOf("<html>Code: 60"), 0);
  EXPECT_EQ(ExceptionCodeOf(""), 0);
}

}  // namespace
}  // namespace penstock::clickhouse
