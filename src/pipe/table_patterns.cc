#include "pipe/table_patterns.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

namespace penstock::pipe {
namespace {

using nlohmann::json;

// Beside tableMappings in a stored spec.
constexpr char kTables[] = "mappedTables";
constexpr char kShared[] = "sharedTargets";  // of tables that tell their source

char Folded(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x80 ? static_cast<char>(std::tolower(byte)) : c;
}

std::string Folded(std::string name) {
  std::ranges::transform(name, name.begin(), [](char c) { return Folded(c); });
  return name;
}

model::TableName Named(const model::TableName& name, bool ignore_case) {
  return ignore_case ? model::TableName{Folded(name.schema), Folded(name.table)} : name;
}

// The bytes of the character that begins there.
size_t CharacterLength(std::string_view text) {
  size_t length = 1;
  while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) {
    ++length;
  }
  return length;
}

bool FitsName(std::string_view pattern, const model::TableName& table, bool ignore_case) {
  return Matches(pattern, table.table, ignore_case) ||
         Matches(pattern, table.ToString(), ignore_case);
}

bool Fits(const TableMapping& pattern, const model::TableName& table, bool ignore_case) {
  return Matches(pattern.source.schema, table.schema, ignore_case) &&
         Matches(pattern.source.table, table.table, ignore_case) &&
         std::ranges::none_of(pattern.excluded_tables, [&](const std::string& excluded) {
           return FitsName(excluded, table, ignore_case);
         });
}

std::string Escaped(std::string_view name) {
  std::string escaped;
  for (const char c : name) {
    if (c == '*' || c == '?' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string TargetOf(const TableMapping& pattern, const model::TableName& table) {
  const std::array<std::pair<std::string_view, std::string_view>, 2> places = {
      {{"{schema}", table.schema}, {"{table}", table.table}}};
  std::string target;
  for (std::string_view rest = pattern.target_table; !rest.empty();) {
    const auto place =
        std::ranges::find_if(places, [&](const auto& one) { return rest.starts_with(one.first); });
    const bool is_place = place != places.end();
    target += is_place ? place->second : rest.substr(0, 1);
    rest.remove_prefix(is_place ? place->first.size() : 1);
  }
  return target;
}

TableMapping MappingOf(const PipeSpec& spec, size_t pattern, const model::TableName& table) {
  TableMapping mapping = spec.mappings[pattern];
  mapping.source = table;
  mapping.target_table = TargetOf(spec.mappings[pattern], table);
  mapping.excluded_tables.clear();
  mapping.pattern = pattern;
  return mapping;
}

}  // namespace

bool IsPattern(const model::TableName& name) {
  constexpr std::string_view kWildcards = "*?";
  return name.schema.find_first_of(kWildcards) != std::string::npos ||
         name.table.find_first_of(kWildcards) != std::string::npos;
}

// A star that fits too little takes one more character, the last one first: so the time is that of
// the lengths, one by the other.
bool Matches(std::string_view pattern, std::string_view name, bool ignore_case) {
  const auto alike = [&](char a, char b) {
    return a == b || (ignore_case && Folded(a) == Folded(b));
  };
  std::optional<std::pair<std::string_view, std::string_view>> star;  // what comes after it
  while (true) {
    if (!pattern.empty() && pattern[0] == '*') {
      pattern.remove_prefix(1);
      star = {pattern, name};
      continue;
    }
    if (pattern.empty() && name.empty()) return true;
    if (!pattern.empty() && !name.empty()) {
      const bool is_any = pattern[0] == '?';
      const bool escapes = pattern.size() > 1 && pattern[0] == '\\' &&
                           std::string_view("*?\\").find(pattern[1]) != std::string_view::npos;
      if (is_any || alike(pattern[escapes ? 1 : 0], name[0])) {
        pattern.remove_prefix(escapes ? 2 : 1);
        name.remove_prefix(is_any ? CharacterLength(name) : 1);
        continue;
      }
    }
    if (!star || star->second.empty()) return false;
    star->second.remove_prefix(1);
    std::tie(pattern, name) = *star;
  }
}

std::optional<size_t> PatternOf(const PipeSpec& spec, const model::TableName& table,
                                bool ignore_case) {
  for (size_t i = 0; i < spec.mappings.size(); ++i) {
    const TableMapping& mapping = spec.mappings[i];
    if (IsPattern(mapping.source) && Fits(mapping, table, ignore_case)) return i;
  }
  return std::nullopt;
}

Makers MakersOf(const TableMapping& pattern, const TableMapping& table) {
  TableMapping all = pattern;
  all.target_table = Escaped(pattern.target_table);
  if (!Matches(TargetOf(all, pattern.source), table.target_table, false))
    return {.any = false, .only = {}};
  const bool of_one_schema = !IsPattern({pattern.source.schema, {}});
  const bool of_one_table = !IsPattern({{}, pattern.source.table});
  if (of_one_schema == of_one_table) {  // neither is known: at least what it makes of this one
    const bool names_both = pattern.target_table.find("{schema}") != std::string::npos &&
                            pattern.target_table.find("{table}") != std::string::npos;
    const bool is_own =
        Fits(pattern, table.source, false) && TargetOf(pattern, table.source) == table.target_table;
    if (names_both && is_own) return {.any = true, .only = table.source};
    return {};
  }
  model::TableName name = pattern.source;
  std::string& open = of_one_schema ? name.table : name.schema;
  open = "\n";
  const std::string around = TargetOf(pattern, name);
  const size_t at = around.find(open);
  const bool is_once = at != around.npos && at == around.rfind(open);
  if (!is_once || table.target_table.size() + 1 < around.size()) return {};
  open = table.target_table.substr(at, table.target_table.size() + 1 - around.size());
  return {.any = Fits(pattern, name, false), .only = name};
}

bool HasPatterns(const PipeSpec& spec) {
  return std::ranges::any_of(spec.mappings,
                             [](const TableMapping& mapping) { return IsPattern(mapping.source); });
}

Result<mysql::TableList> ListForPatterns(mysql::Connection& source, const PipeSpec& spec,
                                         std::stop_token stop) {
  std::vector<std::string> schemas;
  for (const TableMapping& mapping : spec.mappings) {
    const std::string& schema = mapping.source.schema;
    if (!IsPattern(mapping.source)) continue;
    if (schema.find_first_of("*?\\") != std::string::npos) {
      return mysql::ListTables(source, {}, std::move(stop));
    }
    schemas.push_back(schema);
  }
  return mysql::ListTables(source, schemas, std::move(stop));
}

std::vector<TableMapping> NewTables(const PipeSpec& spec, const mysql::TableList& listed) {
  std::set<model::TableName> known;
  for (const TableMapping& mapping : spec.tables) {
    known.insert(Named(mapping.source, listed.names_ignore_case));
  }
  std::vector<TableMapping> tables;
  for (const auto& [name, is_table] : listed.entries) {
    const auto pattern = PatternOf(spec, name, listed.names_ignore_case);
    if (!is_table || !pattern || known.contains(Named(name, listed.names_ignore_case))) continue;
    tables.push_back(MappingOf(spec, *pattern, name));
  }
  return tables;
}

// One whose case does not matter may have been spelled in another.
void Exclude(const model::TableName& table, PipeSpec& spec) {
  while (const auto pattern = PatternOf(spec, table, /*ignore_case=*/true)) {
    spec.mappings[*pattern].excluded_tables.push_back(Escaped(table.ToString()));
  }
}

json ToStored(const PipeSpec& spec) {
  json body = ToJsonWithSecrets(spec);
  std::set<std::string> shared;
  for (const TableMapping& table : spec.tables) {
    if (table.tells_source) shared.insert(table.target_table);
  }
  if (!shared.empty()) body[kShared] = std::move(shared);
  if (!HasPatterns(spec)) return body;
  json list = json::array();
  for (const TableMapping& table : spec.tables) {
    json& entry = list.emplace_back(
        json{{"sourceSchemaName", table.source.schema}, {"sourceTable", table.source.table}});
    if (table.pattern) entry["pattern"] = *table.pattern;
  }
  body[kTables] = std::move(list);
  return body;
}

namespace {

// What the patterns of a spec stand for, by its `list`.
std::vector<TableMapping> StoredTables(const PipeSpec& spec, const json& list) {
  if (!list.is_array()) return spec.mappings;  // it has none
  std::vector<TableMapping> tables;
  for (const json& entry : list) {
    const model::TableName name{entry.value("sourceSchemaName", ""),
                                entry.value("sourceTable", "")};
    const size_t pattern = entry.value("pattern", spec.mappings.size());
    const auto mapping = std::ranges::find(spec.mappings, name, &TableMapping::source);
    if (pattern < spec.mappings.size()) {
      tables.push_back(MappingOf(spec, pattern, name));
    } else if (mapping != spec.mappings.end()) {
      tables.push_back(*mapping);
    }
  }
  return tables;
}

}  // namespace

Result<PipeSpec> FromStored(const json& body, const Limits& limits) {
  json given = body;
  const auto take = [&given](const char* key) {
    json taken = given.is_object() ? given.value(key, json()) : json();
    if (given.is_object()) given.erase(key);
    return taken;
  };
  const json list = take(kTables);
  const json shared = take(kShared);
  PENSTOCK_ASSIGN(PipeSpec spec, ParsePipeSpec(given, limits));
  spec.tables = StoredTables(spec, list);
  for (TableMapping& table : spec.tables) {
    table.tells_source =
        std::find(shared.begin(), shared.end(), table.target_table) != shared.end();
  }
  return spec;
}

}  // namespace penstock::pipe
