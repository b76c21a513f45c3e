#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/pipe_commands.h"

// The commands that change what a pipe is.

namespace penstock::cli {
namespace {

using nlohmann::json;

// "SCHEMA.TABLE" or "SCHEMA.TABLE:TARGET"; the target is named like the table where none is, and so
// are those of a pattern.
Result<json> ParseMapping(const std::string& text) {
  const size_t colon = text.find(':');
  const std::string source = text.substr(0, colon);
  const size_t dot = source.find('.');
  const bool has_both = dot != std::string::npos && dot != 0 && dot + 1 != source.size();
  if (!has_both || colon == text.size() - 1) {
    return Fail(ErrorCode::kInvalidArgument, "{}: must be SCHEMA.TABLE or SCHEMA.TABLE:TARGET",
                text);
  }
  const std::string table = source.substr(dot + 1);
  const bool is_pattern = source.find_first_of("*?") != std::string::npos;
  return json{{"sourceSchemaName", source.substr(0, dot)},
              {"sourceTable", table},
              {"targetTable", colon != std::string::npos ? text.substr(colon + 1)
                              : is_pattern               ? "{table}"
                                                         : table}};
}

bool SameSource(const json& a, const json& b) {
  return a.at("sourceSchemaName") == b.at("sourceSchemaName") &&
         a.at("sourceTable") == b.at("sourceTable");
}

json OfTables(const char* key, json mappings) {
  return {{"source", {{"mysql", {{key, std::move(mappings)}}}}}};
}

}  // namespace

Status PipeCommands::AddTables(const std::string& name, const std::vector<std::string>& tables,
                               bool wait) {
  json mappings = json::array();
  for (const std::string& table : tables) {
    PENSTOCK_ASSIGN(json mapping, ParseMapping(table));
    mappings.push_back(std::move(mapping));
  }
  return Edit(name, OfTables("tableMappingsToAdd", std::move(mappings)), wait);
}

Status PipeCommands::RemoveTables(const std::string& name, const std::vector<std::string>& tables,
                                  bool drop, bool wait) {
  PENSTOCK_ASSIGN(const std::string path, client_.FindPipe(name));
  PENSTOCK_ASSIGN(const json pipe, client_.Get(path));
  json mappings = json::array();
  for (const std::string& table : tables) {
    PENSTOCK_ASSIGN(json wanted, ParseMapping(table));
    const auto is_wanted = [&](const json& one) { return SameSource(one, wanted); };
    const json& mapped = pipe.at(json::json_pointer("/source/mysql/tableMappings"));
    const auto found = std::ranges::find_if(mapped, is_wanted);
    if (found != mapped.end()) {
      wanted["targetTable"] = found->at("targetTable");
    } else {  // perhaps it comes from a pattern
      PENSTOCK_ASSIGN(const json there, client_.Get(path + "/tables"));
      const auto one = std::ranges::find_if(there, is_wanted);
      if (one == there.end()) {
        return Fail(ErrorCode::kNotFound, "{}: is not a table of the pipe {}", table, name);
      }
      const auto database = pipe.at(json::json_pointer("/destination/database")).get<std::string>();
      wanted["targetTable"] = one->at("target").get<std::string>().substr(database.size() + 1);
    }
    if (drop) wanted["dropTargetTable"] = true;
    mappings.push_back(std::move(wanted));
  }
  return Edit(name, OfTables("tableMappingsToRemove", std::move(mappings)), wait);
}

Status PipeCommands::Edit(const std::string& name, const json& change, bool wait) {
  return Change(name, "", change, wait, "Running Degraded Completed Paused");
}

}  // namespace penstock::cli
