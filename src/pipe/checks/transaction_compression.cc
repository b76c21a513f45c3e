#include <charconv>

#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

// zstd's windows: 8 MiB up to this level; then 32, 64 and 128 MiB.
constexpr int kModestLevelMax = 19;
constexpr int kWindowMebibytesAbove = 16;

int LevelOf(std::string_view text) {
  int level = 0;
  std::from_chars(text.data(), text.data() + text.size(), level);
  return level;
}

}  // namespace

// MySQL compresses whole transactions, MariaDB single events: both are followed. A session may
// choose for itself, so that what is said here is of the others.
void CheckTransactionCompression(CheckContext& context, std::vector<Finding>& findings) {
  const bool mariadb = context.facts->is_mariadb();
  const std::string_view variable = mariadb ? "log_bin_compress" : "binlog_transaction_compression";
  if (SourceVariable(context, variable) != "ON")
    return AddOk(findings, "the log is not compressed");
  constexpr std::string_view kLevel = "binlog_transaction_compression_level_zstd";
  const int level = LevelOf(SourceVariable(context, kLevel));
  if (level > kModestLevelMax) {
    return AddWarning(
        findings,
        fmt::format("transactions in the log are compressed with level {}: reading a large one "
                    "takes {} MiB of memory beside memory.limit",
                    level, kWindowMebibytesAbove << (level - kModestLevelMax)),
        Change(context, {.name = kLevel, .value = "3"}));
  }
  AddOk(findings, mariadb ? "events in the log are compressed, and read as they are"
                          : "transactions in the log are compressed, and read as they are");
}

}  // namespace penstock::pipe
