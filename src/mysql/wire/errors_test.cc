#include "mysql/wire/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::mysql {
namespace {

using testing::HasSubstr;

TEST(ErrorsTest, EachErrnoNamesItsReaction) {
  EXPECT_EQ(SourceError(1045, "x").code, ErrorCode::kNeedsUser);
  EXPECT_EQ(SourceError(1227, "x").code, ErrorCode::kNeedsUser);
  EXPECT_EQ(SourceError(1236, "x").code, ErrorCode::kNeedsUser);
  EXPECT_EQ(SourceError(1146, "x").code, ErrorCode::kNotFound);
  for (const int code : {1040, 1053, 1205, 1213, 1927, 2002, 2003, 2005, 2006, 2013, 2026, 4031}) {
    EXPECT_EQ(SourceError(code, "x").code, ErrorCode::kRetry) << code;
  }
}

TEST(ErrorsTest, CommonOnesSayWhatToDo) {
  for (const int code : {1044, 1045, 1049, 1142, 1227, 1236, 1401, 2002, 2026, 4052}) {
    EXPECT_FALSE(SourceError(code, "x").remedy.empty()) << code;
  }
  EXPECT_THAT(SourceError(1227, "x").remedy, HasSubstr("GRANT REPLICATION SLAVE"));
}

TEST(ErrorsTest, UnknownOnesNeedTheUserUnlessTheClientMadeThem) {
  EXPECT_EQ(SourceError(1999, "x").code, ErrorCode::kNeedsUser);
  EXPECT_EQ(SourceError(2999, "x").code, ErrorCode::kRetry);
  EXPECT_EQ(SourceError(5999, "x").code, ErrorCode::kRetry);
}

TEST(ErrorsTest, CarriesOriginNumberAndText) {
  const Error error = SourceError(1062, "Duplicate entry");
  EXPECT_EQ(error.origin, "source");
  EXPECT_EQ(error.native_code, 1062);
  EXPECT_EQ(error.message, "Duplicate entry");
  EXPECT_FALSE(SourceError(1062, "").message.empty());
}

}  // namespace
}  // namespace penstock::mysql
