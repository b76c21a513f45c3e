#include "pipe/named_commands.h"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::pipe {
namespace {

// As one word of a shell.
std::string Quoted(std::string_view word) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (!word.empty() && std::ranges::all_of(word, is_plain)) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::string WithCommands(std::string text, std::string_view pipe, const model::TableName& table,
                         bool gone) {
  constexpr std::string_view kAdvice = "esync the table";  // "Resync", "resync"
  constexpr std::string_view kPlain = " (penstock resync)";
  size_t at = text.rfind(kAdvice);
  if (at == std::string::npos) return text;
  at += kAdvice.size();
  if (text.compare(at, kPlain.size(), kPlain) == 0) text.erase(at, kPlain.size());
  const std::string name = Quoted(table.ToString());
  std::string commands = fmt::format(" (penstock resync {} --table {})", Quoted(pipe), name);
  if (gone) {
    commands += fmt::format(", or take it out of the pipe (penstock remove-table {} {})",
                            Quoted(pipe), name);
  }
  return text.insert(at, commands);
}

}  // namespace penstock::pipe
