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

// The smallest limit of a control group and those above it. In a container the group's own path may
// be the host's, and only the root is there.
uint64_t SmallestLimit(const fs::path& root, const fs::path& group, std::string_view file) {
  uint64_t limit = ReadLimit(root / file);
  for (fs::path at = group; at.has_relative_path(); at = at.parent_path()) {
    limit = std::min(limit, ReadLimit(root / at.relative_path() / file));
  }
  return limit;
}

// Of ours, in version 2 ("0::/a/b") and version 1 ("4:memory:/a/b").
uint64_t ControlGroupLimitBytes() {
  const fs::path root = "/sys/fs/cgroup";
  uint64_t limit = kNoLimit;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t path = line.find(":/");
    if (path == std::string::npos) continue;
    const fs::path group = line.substr(path + 1);
    const bool is_first_version = line.find(":memory:") != std::string::npos;
    if (is_first_version) {
      limit = std::min(limit, SmallestLimit(root / "memory", group, "memory.limit_in_bytes"));
    } else if (line.starts_with("0::")) {
      limit = std::min(limit, SmallestLimit(root, group, "memory.max"));
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
