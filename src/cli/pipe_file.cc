#include "cli/pipe_file.h"

#include <cstdlib>
#include <string>

#include "cli/yaml.h"

namespace penstock::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// The part of `body` at a path of keys, or nullptr.
json* Find(json& body, std::initializer_list<const char*> keys) {
  json* found = &body;
  for (const char* key : keys) {
    if (!found->is_object() || !found->contains(key)) return nullptr;
    found = &(*found)[key];
  }
  return found;
}

Result<std::string> ReadPassword(const json& source, bool is_file, const fs::path& folder) {
  if (!source.is_string()) return Fail(ErrorCode::kInvalidArgument, "must be a string");
  const auto name = source.get<std::string>();
  if (is_file) return ReadPasswordFile(folder / name);
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) {
    return Fail(ErrorCode::kInvalidArgument, "the environment has no {}", name);
  }
  return std::string(value);
}

}  // namespace

Result<std::string> ReadPasswordFile(const fs::path& file) {
  PENSTOCK_ASSIGN(std::string text, ReadFile(file));
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

Status ResolvePassword(json& object, const fs::path& folder, std::string_view path) {
  if (!object.is_object()) return {};
  int given = 0;
  for (const char* key : {"password", "passwordFile", "passwordEnv"}) {
    given += object.contains(key) ? 1 : 0;
  }
  if (given > 1) {
    return Fail(ErrorCode::kInvalidArgument,
                "{}: give one of password, passwordFile and passwordEnv", path);
  }
  for (const char* key : {"passwordFile", "passwordEnv"}) {
    if (!object.contains(key)) continue;
    const bool is_file = key == std::string_view("passwordFile");
    auto password = ReadPassword(object[key], is_file, folder);
    if (!password) return Fail(password.error().In(fmt::format("{}.{}", path, key)));
    object.erase(key);
    object["password"] = *std::move(password);
  }
  return {};
}

Status ResolvePasswords(json& body, const fs::path& folder) {
  if (json* credentials = Find(body, {"source", "mysql", "credentials"})) {
    PENSTOCK_TRY(ResolvePassword(*credentials, folder, "source.mysql.credentials"));
  }
  if (json* clickhouse = Find(body, {"destination", "clickhouse"})) {
    PENSTOCK_TRY(ResolvePassword(*clickhouse, folder, "destination.clickhouse"));
  }
  return {};
}

Result<json> ReadPipeFile(const fs::path& file) {
  PENSTOCK_ASSIGN(json body, ReadYamlFile(file == "-" ? "/dev/stdin" : file));
  PENSTOCK_TRY(ResolvePasswords(body, file.parent_path()));
  return body;
}

}  // namespace penstock::cli
