#include "cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "cli/completion.h"
#include "cli/manual.h"

namespace penstock::cli {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const CommandEntry& Command(const CommandTable& table, const std::string& name) {
  const auto found = std::ranges::find(table.commands, name, &CommandEntry::name);
  EXPECT_NE(found, table.commands.end()) << name;
  return *found;
}

std::set<std::string> FlagsOf(const CommandEntry& command) {
  std::set<std::string> flags;
  for (const auto& option : command.options) flags.insert(option.flags.begin(), option.flags.end());
  return flags;
}

TEST(CommandLineTest, EachCommandHasExamplesThatItTakes) {
  for (const CommandEntry& command : Commands().commands) {
    EXPECT_THAT(command.examples, Not(IsEmpty())) << command.name;
    EXPECT_THAT(command.help, Not(IsEmpty())) << command.name;
    for (const std::string& example : command.examples) {
      const std::string start = "penstock " + command.name;
      ASSERT_TRUE(example.starts_with(start)) << example;
      if (command.name == "clickhouse") continue;  // another program's words
      const size_t end = std::min(example.find(" > "), example.find(" < "));  // the shell's
      const std::string words = example.substr(sizeof("penstock"), end - sizeof("penstock"));
      const Status right = CheckWords(words);
      EXPECT_TRUE(right) << example << ": " << right.error().message;
    }
  }
}

TEST(CommandLineTest, WrongWordsAreNotTaken) {
  for (const char* words : {"create", "pause", "list --output xml", "pause a b", "completion csh",
                            "show a --wait", "keys", "tables --limit 3 a"}) {
    EXPECT_FALSE(CheckWords(words)) << words;
  }
}

TEST(CommandLineTest, WhatChangesAPipeCanBeWaitedFor) {
  const CommandTable table = Commands();
  for (const char* name :
       {"create", "pause", "resume", "resync", "delete", "add-table", "remove-table"}) {
    EXPECT_THAT(FlagsOf(Command(table, name)), Contains("--wait")) << name;
  }
}

TEST(CommandLineTest, TheTableTellsWhatAnOptionTakes) {
  const CommandTable table = Commands();
  const auto& output = *std::ranges::find_if(
      table.options, [](const auto& option) { return option.flags[0] == "--output"; });
  EXPECT_EQ(output.choices, (std::vector<std::string>{"table", "json", "yaml"}));
  const auto& file = Command(table, "create").options;
  const auto is_file = [](const OptionEntry& option) {
    return option.flags == std::vector<std::string>{"-f", "--file"} && option.value == "FILE" &&
           option.required;
  };
  EXPECT_TRUE(std::ranges::any_of(file, is_file));
  EXPECT_THAT(FlagsOf(Command(table, "keys list")), Contains("--data-dir"));
  const OptionEntry& name = Command(table, "pause").options[0];
  EXPECT_EQ(name.value, "NAME");
  EXPECT_THAT(name.flags, IsEmpty());
}

TEST(CommandLineTest, HiddenCommandsAreNotInTheTable) {
  for (const CommandEntry& command : Commands().commands) {
    EXPECT_NE(command.name, "manual");
    EXPECT_NE(command.name, "pipe-names");
  }
}

TEST(CompletionTest, EachShellHasEveryCommand) {
  const CommandTable table = Commands();
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const auto script = CompletionScript(table, shell);
    ASSERT_TRUE(script);
    for (const CommandEntry& command : table.commands) {
      EXPECT_THAT(*script, HasSubstr(command.name.substr(command.name.find(' ') + 1))) << shell;
    }
  }
  EXPECT_EQ(CompletionScript(table, "csh").error().code, ErrorCode::kInvalidArgument);
}

TEST(ManualTest, HasEveryCommandAndOption) {
  const CommandTable table = Commands();
  std::string page = ManualPage(table);
  for (size_t at = 0; (at = page.find("\\-", at)) != std::string::npos;) page.replace(at, 2, "-");
  for (const CommandEntry& command : table.commands) {
    EXPECT_THAT(page, HasSubstr(".SS " + command.name + "\n"));
    for (const std::string& flag : FlagsOf(command)) EXPECT_THAT(page, HasSubstr("\\fB" + flag));
  }
  for (const char* text : {"PENSTOCK_SERVER", "PENSTOCK_LISTEN", "PENSTOCK_CLICKHOUSE_PASSWORD",
                           "PENSTOCK_KEY_SECRET", "SIGHUP"}) {
    EXPECT_THAT(page, HasSubstr(text));
  }
}

TEST(ManualTest, TextIsShownAsItIs) {
  const CommandTable table{.options = {}, .commands = {{.name = "x", .help = ".a\\b-c"}}};
  EXPECT_THAT(ManualPage(table), HasSubstr("\n\\&.a\\eb\\-c.\n"));
}

}  // namespace
}  // namespace penstock::cli
