#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

struct Versions {
  uint32_t oldest;
  std::string_view oldest_name;
  uint32_t unknown;  // from here on nobody has looked
};
constexpr Versions kMysqlVersions{50'600, "MySQL 5.6", 100'000};
constexpr Versions kMariadbVersions{100'000, "MariaDB 10.0", 130'000};

}  // namespace

void CheckSourceVersion(CheckContext& context, std::vector<Finding>& findings) {
  if (!context.source) return;
  const mysql::ServerInfo& server = context.source->server();
  const bool mariadb = server.flavour == mysql::Flavour::kMariadb;
  const Versions& known = mariadb ? kMariadbVersions : kMysqlVersions;
  const std::string name = fmt::format("{} {}", mariadb ? "MariaDB" : "MySQL", server.version);
  if (server.number < known.oldest) {
    AddError(findings, fmt::format("{} is too old: its log cannot be followed", name),
             fmt::format("Upgrade the source to {} or later", known.oldest_name));
  } else if (server.number >= known.unknown) {
    AddWarning(findings, fmt::format("{} is newer than any version penstock knows", name),
               "Look for a newer penstock");
  } else {
    AddOk(findings, name);
  }
}

}  // namespace penstock::pipe
