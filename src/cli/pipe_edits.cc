#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/pipe_commands.h"

// The commands that change what a pipe is.

namespace penstock::cli {
namespace {

using nlohmann::json;

// "SCHEMA.TABLE" or "SCHEMA.TABLE:TARGET"; the target is named like the table where none is.
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
  return json{{"sourceSchemaName", source.substr(0, dot)},
              {"sourceTable", table},
              {"targetTable", colon == std::string::npos ? table : text.substr(colon + 1)}};
}

// "syncIntervalSeconds=5": a setting; "name=shop" and "source.mysql.host=db": by path. The value is
// JSON, or else a text.
Status Assign(const std::string& text, json& body) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return Fail(ErrorCode::kInvalidArgument, "{}: must be KEY=VALUE", text);
  }
  std::string path = text.substr(0, equals);
  const std::string value = text.substr(equals + 1);
  const bool is_setting = path != "name" && path.find('.') == std::string::npos;
  if (is_setting) path.insert(0, "source.mysql.settings.");
  std::ranges::replace(path, '.', '/');
  json parsed = json::parse(value, nullptr, /*allow_exceptions=*/false);
  body[json::json_pointer("/" + path)] = parsed.is_discarded() ? json(value) : std::move(parsed);
  return {};
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
    const json& mapped = pipe.at(json::json_pointer("/source/mysql/tableMappings"));
    const auto found = std::ranges::find_if(mapped, [&](const json& mapping) {
      return mapping.value("sourceSchemaName", "") == wanted["sourceSchemaName"] &&
             mapping.value("sourceTable", "") == wanted["sourceTable"];
    });
    if (found == mapped.end()) {
      return Fail(ErrorCode::kNotFound, "{}: is not a table of the pipe {}", table, name);
    }
    wanted["targetTable"] = found->at("targetTable");
    if (drop) wanted["dropTargetTable"] = true;
    mappings.push_back(std::move(wanted));
  }
  return Edit(name, OfTables("tableMappingsToRemove", std::move(mappings)), wait);
}

Status PipeCommands::Set(const std::string& name, const std::vector<std::string>& assignments) {
  json body = json::object();
  for (const std::string& assignment : assignments) PENSTOCK_TRY(Assign(assignment, body));
  return Edit(name, body, /*wait=*/false);
}

Status PipeCommands::Edit(const std::string& name, const json& change, bool wait) {
  return Change(name, "", change, wait, "Running Degraded Completed Paused");
}

}  // namespace penstock::cli
