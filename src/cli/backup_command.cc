#include "cli/backup_command.h"

#include <nlohmann/json.hpp>

#include "api/keys.h"
#include "catalog/backup.h"
#include "cli/output.h"
#include "cli/yaml_writer.h"

namespace penstock::cli {

using nlohmann::json;

Status BackUpDataDir(const BackupRequest& request) {
  constexpr const char* kSecretKey = "secret.key";
  catalog::BackupOptions options{
      .data_dir = request.data_dir, .file = request.file, .other_files = {}};
  options.other_files.push_back(api::KeyFile::In("").string());
  if (request.with_secret_key) options.other_files.emplace_back(kSecretKey);
  PENSTOCK_ASSIGN(const auto report, catalog::BackUp(options));
  const bool has_key = std::ranges::count(report.files, kSecretKey) != 0;
  const json answer = {{"file", request.file.string()},
                       {"bytes", report.bytes},
                       {"pipes", report.pipes},
                       {"files", report.files},
                       {"secretKey", has_key}};
  if (request.format != OutputFormat::kTable) {
    Print(ValueText(answer, request.format));
    return {};
  }
  Print(fmt::format("{}: {} pipes, {}\n", Printable(request.file.string()), report.pipes,
                    FormatBytes(static_cast<double>(report.bytes))));
  Print(has_key ? "It holds the secret key: whoever reads it has the passwords of its pipes.\n"
                : "The passwords in it are sealed: keep the secret key (secret.key) elsewhere, a "
                  "restore needs both.\n");
  return {};
}

}  // namespace penstock::cli
