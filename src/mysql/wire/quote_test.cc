#include <gtest/gtest.h>

#include "mysql/wire/connection.h"

namespace penstock::mysql {
namespace {

TEST(QuoteTest, Strings) {
  EXPECT_EQ(QuoteString(""), "''");
  EXPECT_EQ(QuoteString("it's"), R"('it\'s')");
  EXPECT_EQ(QuoteString(R"(a\' OR 1)"), R"('a\\\' OR 1')");
  EXPECT_EQ(QuoteString(std::string_view("\0", 1)), R"('\0')");
  EXPECT_EQ(QuoteString("ü\n"), "'ü\n'");
}

TEST(QuoteTest, Identifiers) {
  EXPECT_EQ(QuoteIdentifier("a.b"), "`a.b`");
  EXPECT_EQ(QuoteIdentifier("`; DROP"), "```; DROP`");
}

}  // namespace
}  // namespace penstock::mysql
