#include "pipe/named_commands.h"

#include <gtest/gtest.h>

namespace penstock::pipe {
namespace {

std::string Of(std::string text, bool gone = false) {
  return WithCommands(std::move(text), "it's", {"shop", "a b"}, gone);
}

TEST(NamedCommandsTest, TheyCanBeRunAsTheyAre) {
  const std::string command = R"((penstock resync 'it'\''s' --table 'shop.a b'))";
  EXPECT_EQ(Of("Changed. Resync the table (penstock resync)"),
            "Changed. Resync the table " + command);
  EXPECT_EQ(Of("Mend it; then resync the table"), "Mend it; then resync the table " + command);
  EXPECT_EQ(Of("Resync the table (penstock resync); see x"),
            "Resync the table " + command + "; see x");
  EXPECT_EQ(Of("Resync the pipe (penstock resync)"), "Resync the pipe (penstock resync)");
}

TEST(NamedCommandsTest, ATableThatIsGoneMayBeTakenOut) {
  EXPECT_TRUE(Of("Resync the table", true)
                  .ends_with(R"(, or take it out of the pipe (penstock remove-table 'it'\''s' )"
                             "'shop.a b')"));
}

}  // namespace
}  // namespace penstock::pipe
