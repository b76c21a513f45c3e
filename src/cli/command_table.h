#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace penstock::cli {

// The commands and options of the program as its help has them, for what is generated from them:
// completion.h and manual.h. Those that help hides are not in it.

struct OptionEntry {
  std::vector<std::string> flags;  // "-f", "--file"; empty: an operand
  std::string value;               // "FILE", or of an operand its name; "": a switch
  std::vector<std::string> choices = {};
  std::string variable = {};  // of the environment, in its place
  std::string help = {};
  bool required = false;
  bool repeatable = false;
};

struct CommandEntry {
  std::string name;  // "create", "keys create"
  std::string help;
  std::vector<OptionEntry> options = {};
  std::vector<std::string> examples = {};
};

struct CommandTable {
  std::vector<OptionEntry> options;    // of every command
  std::vector<CommandEntry> commands;  // in the order of the help
};

CommandTable TableOf(const CLI::App& app);

// Lines that show how a command is used; each is one that the program takes.
std::vector<std::string> ExamplesOf(const std::string& command);

}  // namespace penstock::cli
