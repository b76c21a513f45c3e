#include "obs/json_text.h"

#include <gtest/gtest.h>

namespace penstock {
namespace {

TEST(JsonText, QuotesWhatJsonCannotHold) {
  EXPECT_EQ(JsonText(""), R"("")");
  EXPECT_EQ(JsonText("a \"b\" \\ /"), R"("a \"b\" \\ /")");
  EXPECT_EQ(JsonText(std::string_view("\n\x1b\0\x7f", 4)), "\"\\u000a\\u001b\\u0000\x7f\"");
}

TEST(JsonText, KeepsCharactersAndReplacesOtherBytes) {
  EXPECT_EQ(JsonText("Zürich €𝄞"), "\"Zürich €𝄞\"");
  EXPECT_EQ(JsonText("\xff"), R"("\ufffd")");
  EXPECT_EQ(JsonText("a\xc3"), R"("a\ufffd")");                    // ends too soon
  EXPECT_EQ(JsonText("\xc0\xaf"), R"("\ufffd\ufffd")");            // longer than needed
  EXPECT_EQ(JsonText("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");  // a surrogate
  EXPECT_EQ(JsonText("\xf4\x90\x80\x80"), R"("\ufffd\ufffd\ufffd\ufffd")");
  EXPECT_EQ(JsonText("\xe2\x82z"), R"("\ufffd\ufffdz")");
}

}  // namespace
}  // namespace penstock
