#include "cli/key_commands.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <system_error>
#include <vector>

#include "api/keys.h"
#include "cli/output.h"
#include "cli/yaml_writer.h"

namespace penstock::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

Result<api::KeyFile> FileIn(const fs::path& data_dir) {
  std::error_code error;
  if (data_dir.has_parent_path()) fs::create_directories(data_dir.parent_path(), error);
  if (!error && ::mkdir(data_dir.c_str(), 0700) != 0 && errno != EEXIST) {
    error = std::error_code(errno, std::generic_category());
  }
  if (error) return Fail(ErrorCode::kNeedsUser, "{}: {}", data_dir.string(), error.message());
  return api::KeyFile(api::KeyFile::In(data_dir));
}

}  // namespace

Status CreateKey(const fs::path& data_dir, const std::string& name, OutputFormat format) {
  PENSTOCK_ASSIGN(const auto file, FileIn(data_dir));
  PENSTOCK_ASSIGN(const auto key, file.Create(name));
  if (format != OutputFormat::kTable) {
    Print(ValueText({{"id", key.id}, {"secret", key.secret}, {"name", name}}, format));
    return {};
  }
  Print(
      fmt::format("id      {}\nsecret  {}\n\nThe secret is not kept and cannot be shown again. "
                  "Commands use it by PENSTOCK_KEY_ID and\nPENSTOCK_KEY_SECRET.\n",
                  key.id, key.secret));
  return {};
}

Status ListKeys(const fs::path& data_dir, OutputFormat format) {
  PENSTOCK_ASSIGN(const auto file, FileIn(data_dir));
  PENSTOCK_ASSIGN(const auto keys, file.Load());
  json list = json::array();
  std::vector<std::vector<std::string>> rows;
  for (const api::StoredKey& key : keys) {
    const std::string made = FormatIso8601(key.created_at);
    list.push_back({{"id", key.id}, {"name", key.name}, {"createdAt", made}});
    rows.push_back({key.id, made, Printable(key.name)});
  }
  Print(format == OutputFormat::kTable ? FormatTable({"ID", "CREATED", "NAME"}, rows)
                                       : ValueText(list, format));
  return {};
}

Status DeleteKey(const fs::path& data_dir, const std::string& id, OutputFormat format) {
  PENSTOCK_ASSIGN(const auto file, FileIn(data_dir));
  PENSTOCK_TRY(file.Delete(id));
  Print(format == OutputFormat::kTable ? fmt::format("deleted {}\n", id)
                                       : ValueText({{"id", id}}, format));
  return {};
}

}  // namespace penstock::cli
