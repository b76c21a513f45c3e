#include "base/status.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace penstock {
namespace {

Result<int> Half(int number) {
  if (number % 2 != 0) return Fail(ErrorCode::kInvalidArgument, "{} is odd", number);
  return number / 2;
}

Status CheckHalf(int number) {
  PENSTOCK_TRY(Half(number));
  return {};
}

Result<int> Quarter(int number) {
  PENSTOCK_ASSIGN(const int half, Half(number));
  PENSTOCK_ASSIGN(int quarter, Half(half));
  return quarter;
}

Result<std::unique_ptr<int>> Boxed(int number) {
  std::unique_ptr<int> box;
  PENSTOCK_ASSIGN(box, Result<std::unique_ptr<int>>(std::make_unique<int>(number)));
  return box;
}

TEST(Status, TryReturnsTheFirstError) {
  EXPECT_TRUE(CheckHalf(4));
  const Status status = CheckHalf(3);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(status.error().message, "3 is odd");
}

TEST(Status, AssignTakesTheValue) {
  EXPECT_EQ(Quarter(8), 2);
  EXPECT_EQ(Quarter(6).error().message, "3 is odd");
  EXPECT_EQ(**Boxed(7), 7);
}

TEST(Error, ContextStandsBeforeTheMessage) {
  const Error error{.code = ErrorCode::kRetry,
                    .message = "lost connection",
                    .origin = "source",
                    .native_code = 2013,
                    .remedy = "Check the network"};
  const Error in = error.In("table shop.orders");
  EXPECT_EQ(in.message, "table shop.orders: lost connection");
  EXPECT_EQ(in.code, ErrorCode::kRetry);
  EXPECT_EQ(in.native_code, 2013);
  EXPECT_EQ(in.ToString(),
            "table shop.orders: lost connection (source error 2013). Check the network");
}

TEST(Error, PrintsOnlyWhatIsKnown) {
  EXPECT_EQ(Error{.message = "disk is full"}.ToString(), "disk is full");
}

TEST(ErrorCodeName, EachCodeHasItsOwn) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(ErrorCode::kInternal); ++i) {
    names.insert(ErrorCodeName(static_cast<ErrorCode>(i)));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(ErrorCode::kInternal) + 1);
}

}  // namespace
}  // namespace penstock
