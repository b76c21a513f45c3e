#include "cli/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

namespace penstock::cli {
namespace {

// What completes a value or an operand.
enum class Kind : uint8_t { kNothing, kChoices, kFile, kPipe, kTable };

Kind KindOf(const OptionEntry& entry) {
  if (!entry.choices.empty()) return Kind::kChoices;
  if (entry.value == "FILE" || entry.value == "DIR") return Kind::kFile;
  if (entry.value == "TABLE") return Kind::kTable;
  return entry.value == "NAME" && entry.flags.empty() ? Kind::kPipe : Kind::kNothing;
}

std::string Joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words)
    text += fmt::format("{}{}", text.empty() ? "" : between, word);
  return text;
}

// In single quotes, for every one of the shells; `extra` is escaped by a backslash as well.
std::string Quoted(std::string_view text, std::string_view extra = "") {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += R"('\'')";
    } else {
      if (extra.find(c) != std::string_view::npos) quoted += '\\';
      quoted += c;
    }
  }
  return quoted + "'";
}

// Of all commands, as the pattern of a `case`.
std::string FlagsWithValue(const CommandTable& table) {
  std::set<std::string> flags;
  const auto add = [&flags](const std::vector<OptionEntry>& options) {
    for (const OptionEntry& option : options) {
      if (!option.value.empty()) flags.insert(option.flags.begin(), option.flags.end());
    }
  };
  add(table.options);
  for (const CommandEntry& command : table.commands) add(command.options);
  return Joined({flags.begin(), flags.end()}, "|");
}

// Commands that have commands: "keys" of "keys create".
std::vector<std::string> Groups(const CommandTable& table) {
  std::vector<std::string> groups;
  for (const CommandEntry& command : table.commands) {
    const std::string first = command.name.substr(0, command.name.find(' '));
    const bool is_group = first != command.name && std::ranges::count(groups, first) == 0;
    if (is_group) groups.push_back(first);
  }
  return groups;
}

struct Word {
  std::string text;
  std::string help;
};

// The words that may follow `parent`: "" or a group.
std::vector<Word> CommandsBelow(const CommandTable& table, const std::string& parent) {
  std::vector<Word> words;
  for (const CommandEntry& command : table.commands) {
    const size_t space = command.name.find(' ');
    const bool in_group = space != std::string::npos;
    const std::string group = in_group ? command.name.substr(0, space) : "";
    if (group == parent) {
      words.push_back({in_group ? command.name.substr(space + 1) : command.name, command.help});
    } else if (parent.empty() && (words.empty() || words.back().text != group)) {
      words.push_back({group, ""});
    }
  }
  return words;
}

std::vector<Word> Flags(const std::vector<OptionEntry>& options) {
  std::vector<Word> words;
  for (const OptionEntry& option : options) {
    for (const std::string& flag : option.flags) words.push_back({flag, option.help});
  }
  return words;
}

// What bash and zsh differ in: the statements that offer something.
struct Dialect {
  std::function<std::string(const std::vector<std::string>&)> choices;
  std::function<std::string(const std::vector<Word>&)> words;
  std::string files;
  std::string pipes;
  std::string tables;  // of $pipe
};

std::string Offer(const OptionEntry& entry, const Dialect& dialect) {
  switch (KindOf(entry)) {
    case Kind::kChoices:
      return dialect.choices(entry.choices);
    case Kind::kFile:
      return dialect.files;
    case Kind::kPipe:
      return dialect.pipes;
    case Kind::kTable:
      return dialect.tables;
    case Kind::kNothing:
      break;
  }
  return ":";
}

// Arms for "COMMAND:FLAG", the value of an option, and for "COMMAND:NUMBER", an operand.
void AddArms(const std::string& command, const std::vector<OptionEntry>& options,
             const Dialect& dialect, std::string& values, std::string& operands) {
  size_t number = 0;
  for (const OptionEntry& option : options) {
    const std::string offer = Offer(option, dialect);
    for (const std::string& flag : option.flags) {
      if (option.value.empty()) continue;
      values += fmt::format("    {}:{}) {}; return ;;\n", command, flag, offer);
    }
    if (!option.flags.empty()) continue;
    const std::string place = option.repeatable ? "*" : fmt::format("{}", number++);
    if (offer != ":") operands += fmt::format("    '{}':{}) {} ;;\n", command, place, offer);
  }
}

// The body of the function that both shells have; it knows $cur, $prev, and of the words before
// them $command, how many $operands, and the first of these, $pipe.
std::string Cases(const CommandTable& table, const Dialect& dialect) {
  std::string values;
  std::string operands;
  std::string flags;
  AddArms("*", table.options, dialect, values, operands);
  for (const CommandEntry& command : table.commands) {
    AddArms(fmt::format("'{}'", command.name), command.options, dialect, values, operands);
    std::vector<OptionEntry> all = command.options;
    all.insert(all.end(), table.options.begin(), table.options.end());
    flags += fmt::format("      '{}') {} ;;\n", command.name, dialect.words(Flags(all)));
  }
  std::string below = fmt::format("    :*) {} ;;\n", dialect.words(CommandsBelow(table, "")));
  for (const std::string& group : Groups(table)) {
    below += fmt::format("    {}:*) {} ;;\n", group, dialect.words(CommandsBelow(table, group)));
  }
  return fmt::format(
      "  case \"$command:$prev\" in\n{}  esac\n"
      "  if [[ $cur == -* ]]; then\n    case \"$command\" in\n{}      *) {} ;;\n    esac\n"
      "    return\n  fi\n"
      "  case \"$command:$operands\" in\n{}{}  esac\n",
      values, flags, dialect.words(Flags(table.options)), below, operands);
}

// Finds the command and counts the operands among the words before the one that is completed.
std::string Scan(const CommandTable& table, std::string_view word) {
  std::string groups;
  for (const std::string& group : Groups(table)) {
    groups += fmt::format(" || $command == {}", group);
  }
  return fmt::format(
      "    case {0} in\n"
      "      {1}) ((++i)) ;;\n"
      "      -*) ;;\n"
      "      *) if [[ -z $command{2} ]]; then command=\"${{command:+$command }}\"{0}\n"
      "         else ((operands++)) || pipe={0}; fi ;;\n"
      "    esac\n",
      word, FlagsWithValue(table), groups);
}

std::vector<std::string> Texts(const std::vector<Word>& words) {
  std::vector<std::string> texts;
  texts.reserve(words.size());
  for (const Word& word : words) texts.push_back(word.text);
  return texts;
}

std::string BashScript(const CommandTable& table) {
  const auto offer = [](const std::vector<std::string>& words) {
    return fmt::format("_penstock_offer {}", Joined(words, " "));
  };
  const Dialect dialect{
      .choices = offer,
      .words = [&](const std::vector<Word>& words) { return offer(Texts(words)); },
      .files = "compopt -o default",
      .pipes =
          "mapfile -t names < <(penstock pipe-names 2>/dev/null); _penstock_offer "
          "\"${names[@]}\"",
      .tables =
          "mapfile -t names < <(penstock table-names \"$pipe\" 2>/dev/null); _penstock_offer "
          "\"${names[@]}\""};
  return fmt::format(R"sh(# Completion of penstock for bash, made by `penstock completion bash`.

# Those of the words that begin as the one before the cursor does.
_penstock_offer() {{
  local word
  for word in "$@"; do
    [[ $word == "$cur"* ]] && COMPREPLY+=("$(printf %q "$word")")
  done
}}

_penstock() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}
  local command= pipe= i operands=0 names
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
{}  done
{}}}

complete -F _penstock penstock
)sh",
                     Scan(table, "\"${COMP_WORDS[i]}\""), Cases(table, dialect));
}

std::string ZshScript(const CommandTable& table) {
  const Dialect dialect{
      .choices = [](const auto& words) { return fmt::format("compadd -- {}", Joined(words, " ")); },
      .words =
          [](const std::vector<Word>& words) {
            std::string list;
            for (const Word& word : words) {
              list += fmt::format(
                  "{}{}", list.empty() ? "" : " ",
                  Quoted(word.help.empty() ? word.text : word.text + ":" + word.help, "\\"));
            }
            return fmt::format("list=({}); _describe -o penstock list", list);
          },
      .files = "_files",
      .pipes = "list=(\"${(@f)$(penstock pipe-names 2>/dev/null)}\"); compadd -a list",
      .tables = "list=(\"${(@f)$(penstock table-names \"$pipe\" 2>/dev/null)}\"); compadd -a list"};
  return fmt::format(R"sh(#compdef penstock
# Completion of penstock for zsh, made by `penstock completion zsh`.

_penstock() {{
  local cur=${{words[CURRENT]}} prev=${{words[CURRENT-1]}} command= pipe=
  local -i i operands=0
  local -a list
  for ((i = 2; i < CURRENT; ++i)); do
{}  done
{}}}

if [[ $funcstack[1] == _penstock ]]; then _penstock "$@"; else compdef _penstock penstock; fi
)sh",
                     Scan(table, "${words[i]}"), Cases(table, dialect));
}

// One `complete` for a word, an option or an operand of a command ("": of all, or of none yet).
std::string FishLine(const std::string& command, bool of_all, std::string_view rest) {
  const std::string when =
      of_all ? "" : fmt::format(" -n 'test \"$(__penstock_command)\" = \"{}\"'", command);
  return fmt::format("complete -c penstock{} {}\n", when, rest);
}

std::string FishEntry(const std::string& command, bool of_all, const OptionEntry& entry) {
  std::string rest;
  for (const std::string& flag : entry.flags) {
    rest += flag.starts_with("--") ? fmt::format("-l {} ", flag.substr(2))
                                   : fmt::format("-s {} ", flag.substr(1));
  }
  const Kind kind = KindOf(entry);
  if (entry.flags.empty() && kind == Kind::kNothing) return "";
  if (!entry.value.empty() && !entry.flags.empty()) rest += kind == Kind::kFile ? "-r " : "-x ";
  if (kind == Kind::kFile) rest += "-F ";
  if (kind == Kind::kChoices) rest += fmt::format("-a '{}' ", Joined(entry.choices, " "));
  if (kind == Kind::kPipe) rest += "-a '(penstock pipe-names 2>/dev/null)' ";
  if (kind == Kind::kTable) {
    rest += "-a '(penstock table-names (__penstock_words)[2] 2>/dev/null)' ";
  }
  return FishLine(command, of_all, rest + "-d " + Quoted(entry.help));
}

std::string FishScript(const CommandTable& table) {
  std::string lines;
  std::vector<std::string> parents = Groups(table);
  parents.insert(parents.begin(), "");
  for (const std::string& parent : parents) {
    for (const Word& word : CommandsBelow(table, parent)) {
      lines += FishLine(parent, false, fmt::format("-a {} -d {}", word.text, Quoted(word.help)));
    }
  }
  for (const OptionEntry& option : table.options) lines += FishEntry("", true, option);
  for (const CommandEntry& command : table.commands) {
    for (const OptionEntry& option : command.options)
      lines += FishEntry(command.name, false, option);
  }
  std::string flags = FlagsWithValue(table);
  std::ranges::replace(flags, '|', ' ');
  return fmt::format(R"sh(# Completion of penstock for fish, made by `penstock completion fish`.

# The words before the cursor, but for options and their values.
function __penstock_words
    set -l skip no
    for word in (commandline -opc)[2..-1]
        if test $skip = yes
            set skip no
        else if contains -- $word {0}
            set skip yes
        else if not string match -q -- '-*' $word
            printf '%s\n' $word
        end
    end
end

# The command among them; of `keys` with the word after it.
function __penstock_command
    set -l words (__penstock_words)
    if contains -- "$words[1]" {1}
        echo "$words[1..2]"
    else
        echo "$words[1]"
    end
end

complete -c penstock -f
{2})sh",
                     flags, Joined(Groups(table), " "), lines);
}

}  // namespace

Result<std::string> CompletionScript(const CommandTable& table, std::string_view shell) {
  if (shell == "bash") return BashScript(table);
  if (shell == "zsh") return ZshScript(table);
  if (shell == "fish") return FishScript(table);
  return Fail(ErrorCode::kInvalidArgument, "{}: must be bash, zsh or fish", shell);
}

}  // namespace penstock::cli
