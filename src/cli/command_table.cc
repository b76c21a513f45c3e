#include "cli/command_table.h"

#include <CLI/CLI.hpp>

namespace penstock::cli {
namespace {

// "a", "b" of "TEXT:{a,b}", as CLI11 calls the type of an option that must be one of them.
std::vector<std::string> ChoicesIn(const std::string& type) {
  const size_t open = type.find('{');
  const size_t close = type.find('}');
  if (open == std::string::npos || close == std::string::npos) return {};
  return CLI::detail::split(type.substr(open + 1, close - open - 1), ',');
}

OptionEntry EntryOf(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const bool is_switch = option.get_type_size() == 0;
  OptionEntry entry{.flags = {}, .value = is_switch ? "" : type.substr(0, type.find(':'))};
  for (const std::string& name : option.get_snames()) entry.flags.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) entry.flags.push_back("--" + name);
  if (entry.flags.empty()) entry.value = option.get_name();
  entry.choices = ChoicesIn(type);
  entry.variable = option.get_envname();
  entry.help = option.get_description();
  entry.required = option.get_required();
  entry.repeatable = option.get_items_expected_max() > 1;
  return entry;
}

std::vector<OptionEntry> OptionsOf(const CLI::App& app) {
  std::vector<OptionEntry> entries;
  for (const CLI::Option* option : app.get_options()) {
    const bool hidden = option->get_group().empty();
    if (!hidden && option != app.get_help_ptr()) entries.push_back(EntryOf(*option));
  }
  return entries;
}

void AddCommands(const CLI::App& app, const std::string& prefix, CommandTable& table) {
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_group().empty()) continue;
    const std::string name = prefix + command->get_name();
    if (!command->get_subcommands({}).empty()) {
      AddCommands(*command, name + " ", table);
      continue;
    }
    CommandEntry entry{.name = name, .help = command->get_description()};
    entry.options = OptionsOf(*command);
    if (!prefix.empty()) {
      for (OptionEntry& shared : OptionsOf(app)) entry.options.push_back(std::move(shared));
    }
    entry.examples = ExamplesOf(name);
    table.commands.push_back(std::move(entry));
  }
}

}  // namespace

CommandTable TableOf(const CLI::App& app) {
  CommandTable table{.options = OptionsOf(app), .commands = {}};
  table.options.push_back(EntryOf(*app.get_help_ptr()));
  AddCommands(app, "", table);
  return table;
}

}  // namespace penstock::cli
