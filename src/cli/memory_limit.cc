#include "cli/memory_limit.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <utility>

namespace penstock::cli {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMiB = 1024ULL * 1024;
constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

uint64_t MachineMemoryBytes() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page_bytes = ::sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page_bytes <= 0) return 4096 * kMiB;
  return static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_bytes);
}

// A file of one number; "max", as of a group without a limit, is no number.
uint64_t ReadLimit(const fs::path& file) {
  std::ifstream stream(file);
  uint64_t limit = 0;
  return stream >> limit ? limit : kNoLimit;
}

// The smallest limit of our control group and those above it (version 2), or of the version 1
// hierarchy as containers see it.
uint64_t ControlGroupLimitBytes() {
  const fs::path root = "/sys/fs/cgroup";
  uint64_t limit = ReadLimit(root / "memory" / "memory.limit_in_bytes");
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (!line.starts_with("0::/")) continue;
    fs::path group = root / line.substr(4);
    for (;;) {
      limit = std::min(limit, ReadLimit(group / "memory.max"));
      if (group == root || !group.has_relative_path()) break;
      group = group.parent_path();
    }
  }
  return limit;
}

}  // namespace

uint64_t DefaultMemoryLimitBytes() {
  return std::min(1024 * kMiB, std::min(MachineMemoryBytes(), ControlGroupLimitBytes()) / 4);
}

Result<uint64_t> ParseBytes(std::string_view text) {
  constexpr std::pair<std::string_view, uint64_t> kUnits[] = {
      {"", 1}, {"KiB", 1024}, {"MiB", kMiB}, {"GiB", 1024 * kMiB}};
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  for (const auto& [name, bytes] : kUnits) {
    if (error == std::errc() && unit == name && number <= kNoLimit / bytes) return number * bytes;
  }
  return Fail(ErrorCode::kInvalidArgument, "must be a size such as 512MiB");
}

}  // namespace penstock::cli
