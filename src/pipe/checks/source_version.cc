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

std::string_view HostingText(Hosting hosting) {
  switch (hosting) {
    case Hosting::kRds:
      return " on Amazon RDS";
    case Hosting::kAurora:
      return " on Amazon Aurora";
    case Hosting::kCloudSql:
      return " on Google Cloud SQL";
    case Hosting::kAzure:
      return " on Azure";
    case Hosting::kSelf:
      break;
  }
  return "";
}

}  // namespace

void CheckSourceVersion(CheckContext& context, std::vector<Finding>& findings) {
  const mysql::ServerInfo& server = context.facts->server;
  const bool mariadb = context.facts->is_mariadb();
  const Versions& known = mariadb ? kMariadbVersions : kMysqlVersions;
  const std::string name = fmt::format("{} {}", mariadb ? "MariaDB" : "MySQL", server.version);
  if (server.number < known.oldest) {
    AddError(findings, fmt::format("{} is too old: its log cannot be followed", name),
             fmt::format("Upgrade the source to {} or later", known.oldest_name));
  } else if (server.number >= known.unknown) {
    AddWarning(findings, fmt::format("{} is newer than any version penstock knows", name),
               "Look for a newer penstock");
  } else {
    AddOk(findings, fmt::format("{}{}", name, HostingText(context.facts->hosting)));
  }
  const std::string& type = context.spec.source_type;
  if (!type.empty() && type.ends_with("mariadb") != mariadb) {
    AddWarning(findings, fmt::format("source.type is {}, and the source is {}", type, name),
               "What the server says is what counts; correct type, or the host");
  }
}

}  // namespace penstock::pipe
