#include "cli/table_names.h"

#include <fmt/format.h>

#include <optional>

namespace penstock::cli {
namespace {

using nlohmann::json;

// Takes a name off the beginning of `text`: one in backticks, or all before any of `ends`. nullopt:
// there is none.
std::optional<std::string> TakeName(std::string_view& text, std::string_view ends) {
  std::string name;
  if (!text.starts_with('`')) {
    name = text.substr(0, text.find_first_of(ends));
    text.remove_prefix(name.size());
  } else {
    size_t at = 1;
    for (; at < text.size(); ++at) {
      if (text[at] == '`' && text.substr(at + 1, 1) != "`") break;
      if (text[at] == '`') ++at;
      name += text[at];
    }
    if (at >= text.size()) return std::nullopt;
    text.remove_prefix(at + 1);
  }
  if (name.empty()) return std::nullopt;
  return name;
}

bool Take(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

bool SameSource(const json& a, const json& b) {
  return a.at("sourceSchemaName") == b.at("sourceSchemaName") &&
         a.at("sourceTable") == b.at("sourceTable");
}

}  // namespace

Result<json> ParseTable(std::string_view text) {
  std::string_view rest = text;
  const auto schema = TakeName(rest, ".");
  const auto table = schema && Take(rest, '.') ? TakeName(rest, ":") : std::nullopt;
  const bool has_target = table && Take(rest, ':');
  const auto target = has_target ? TakeName(rest, "") : std::nullopt;
  if (!table || has_target != target.has_value() || !rest.empty()) {
    return Fail(Error{.code = ErrorCode::kInvalidArgument,
                      .message = fmt::format("{}: must be SCHEMA.TABLE", text),
                      .remedy = "Put a name that holds a dot or a colon into backticks, as in "
                                "'`x.y`.`t:2`'"});
  }
  json parsed = {{"sourceSchemaName", *schema}, {"sourceTable", *table}};
  if (target) parsed["targetTable"] = *target;
  return parsed;
}

Result<json> FindTable(std::string_view text, const json& tables) {
  const json* found = nullptr;
  int named_so = 0;
  for (const json& table : tables) {
    const std::string name = table.at("sourceSchemaName").get<std::string>() + "." +
                             table.at("sourceTable").get<std::string>();
    if (name != text) continue;
    found = &table;
    ++named_so;
  }
  if (named_so == 1) return *found;
  PENSTOCK_ASSIGN(const json wanted, ParseTable(text));
  for (const json& table : tables) {
    if (!wanted.contains("targetTable") && SameSource(table, wanted)) return table;
  }
  return Fail(Error{.code = ErrorCode::kNotFound,
                    .message = fmt::format("{} is not mapped", text),
                    .remedy = "`penstock tables NAME` lists the tables of a pipe"});
}

}  // namespace penstock::cli
