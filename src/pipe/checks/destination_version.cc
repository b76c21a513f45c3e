#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

constexpr uint32_t kOldestVersion = 2408;

}  // namespace

void CheckDestinationVersion(CheckContext& context, std::vector<Finding>& findings) {
  const uint32_t version = context.destination_version;
  const std::string name = fmt::format("ClickHouse {}.{}", version / 100, version % 100);
  if (version >= kOldestVersion) return AddOk(findings, name);
  AddError(findings, fmt::format("{} is too old", name), "Upgrade it to 24.8 or later");
}

}  // namespace penstock::pipe
