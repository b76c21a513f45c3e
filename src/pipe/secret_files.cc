#include "pipe/secret_files.h"

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

namespace penstock::pipe {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr char kFile[] = "passwordFile";
constexpr size_t kBytesMax = 4096;

Result<std::string> ReadWithin(const fs::path& folder, const std::string& name) {
  std::error_code error;
  const fs::path root = fs::canonical(folder, error);
  const fs::path file = error ? fs::path() : fs::canonical(root / name, error);
  const bool is_within =
      !error &&
      std::mismatch(root.begin(), root.end(), file.begin(), file.end()).first == root.end();
  // The same words for what is not there and for what is elsewhere.
  if (!is_within || !fs::is_regular_file(file, error)) {
    return Fail(ErrorCode::kInvalidArgument, "there is no such file in the server's secrets.dir");
  }
  std::string text(kBytesMax + 1, '\0');
  std::ifstream stream(file, std::ios::binary);
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(stream.gcount()));
  if (text.empty() || text.size() > kBytesMax) {
    return Fail(ErrorCode::kInvalidArgument, "the file cannot be read, is empty, or is too long");
  }
  if (json(text).dump(-1, ' ', false, json::error_handler_t::ignore) !=
      json(text).dump(-1, ' ', false, json::error_handler_t::replace)) {
    return Fail(ErrorCode::kInvalidArgument, "the file is not UTF-8");
  }
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

Status Resolve(json& body, std::initializer_list<const char*> keys, std::string_view path,
               const fs::path& folder) {
  json* at = &body;
  for (const char* key : keys) {
    if (!at->is_object() || !at->contains(key)) return {};
    at = &(*at)[key];
  }
  json& object = *at;
  if (!object.is_object() || !object.contains(kFile)) return {};
  const auto wrong = [&](std::string_view what) {
    return Fail(ErrorCode::kInvalidArgument, "{}.{}: {}", path, kFile, what);
  };
  const json name = object[kFile];
  if (name.is_null()) {
    object.erase(kFile);
    return {};
  }
  if (!name.is_string()) return wrong("must be a string");
  if (object.contains("password")) return wrong("give it or password");
  if (folder.empty()) return wrong("this server has no secrets.dir to read it from");
  auto text = ReadWithin(folder, name.get<std::string>());
  if (!text) return wrong(text.error().message);
  object.erase(kFile);
  object["password"] = *std::move(text);
  return {};
}

}  // namespace

Status ReadSecretFiles(json& body, const fs::path& folder) {
  PENSTOCK_TRY(
      Resolve(body, {"source", "mysql", "credentials"}, "source.mysql.credentials", folder));
  return Resolve(body, {"destination", "clickhouse"}, "destination.clickhouse", folder);
}

}  // namespace penstock::pipe
