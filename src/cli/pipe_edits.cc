#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/output.h"
#include "cli/pipe_commands.h"
#include "cli/table_names.h"

// The commands that change what a pipe is.

namespace penstock::cli {
namespace {

using nlohmann::json;

// The target is named like the table where none is, and so are those of a pattern.
Result<json> ParseMapping(const std::string& text) {
  PENSTOCK_ASSIGN(json mapping, ParseTable(text));
  const std::string source = SourceName(mapping);
  const bool is_pattern = source.find_first_of("*?") != std::string::npos;
  if (!mapping.contains("targetTable")) {
    mapping["targetTable"] = is_pattern ? "{table}" : mapping["sourceTable"];
  }
  return mapping;
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
  PENSTOCK_ASSIGN(const std::string path, client_.FindPipe(name));
  return Edit(path, OfTables("tableMappingsToAdd", std::move(mappings)), wait);
}

Status PipeCommands::RemoveTables(const std::string& name, const std::vector<std::string>& tables,
                                  bool drop, bool wait) {
  PENSTOCK_ASSIGN(const std::string path, client_.FindPipe(name));
  PENSTOCK_ASSIGN(const json pipe, client_.Get(path));
  const json& mapped = pipe.at(json::json_pointer("/source/mysql/tableMappings"));
  const size_t database_size =
      pipe.at(json::json_pointer("/destination/database")).get<std::string>().size();
  json mappings = json::array();
  for (const std::string& table : tables) {
    auto found = FindTable(table, mapped);
    if (!found) {  // perhaps it comes from a pattern
      PENSTOCK_ASSIGN(const json there, client_.Get(path + "/tables"));
      PENSTOCK_ASSIGN(found, FindTable(table, there));
      (*found)["targetTable"] = found->at("target").get<std::string>().substr(database_size + 1);
    }
    json& mapping = mappings.emplace_back();
    for (const char* key : {"sourceSchemaName", "sourceTable", "targetTable"}) {
      mapping[key] = found->at(key);
    }
    if (drop) mapping["dropTargetTable"] = true;
  }
  return Edit(path, OfTables("tableMappingsToRemove", std::move(mappings)), wait);
}

Status PipeCommands::Edit(const std::string& path, const json& change, bool wait) {
  PENSTOCK_ASSIGN(const json before, client_.Get(path + "/tables"));
  // Tables that had been set aside before are no failure of this change.
  const auto concerned = [&before](const json& table) {
    return std::ranges::none_of(before, [&](const json& one) {
      return SourceName(one) == SourceName(table) && one.value("quarantine", json()).is_object();
    });
  };
  const auto done = [&]() -> Status {
    PENSTOCK_TRY(AwaitState(path, "Running Degraded Completed Paused"));
    return CheckTables(path, concerned);
  };
  return Change(path, "", change, wait ? done : Wait());
}

}  // namespace penstock::cli
