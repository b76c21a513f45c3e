#include "pipe/checks/hosting.h"

#include <fmt/format.h>

namespace penstock::pipe {
namespace {

bool IsNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

Remedy OnItsOwn(const VariableChange& change, const mysql::ServerInfo& server) {
  const std::string in_file = fmt::format("{}={}", change.name, change.value);
  if (change.needs_restart) {
    return {.text = fmt::format("Put {} under [mysqld] in the server's configuration, and restart "
                                "the server",
                                in_file),
            .statement = ""};
  }
  const bool persists = server.flavour == mysql::Flavour::kMysql && server.number >= 80'000;
  const std::string value =
      IsNumber(change.value) ? std::string(change.value) : fmt::format("'{}'", change.value);
  return {.text = persists ? "Run at the source"
                           : fmt::format("Run at the source, and put {} under [mysqld] in the "
                                         "server's configuration",
                                         in_file),
          .statement =
              fmt::format("SET {} {} = {};", persists ? "PERSIST" : "GLOBAL", change.name, value)};
}

Remedy InParameterGroup(const VariableChange& change, bool cluster) {
  const std::string_view name = change.name == "gtid_mode" ? "gtid-mode" : change.name;
  return {.text = fmt::format("Set {} to {} in the {} parameter group (one of your own, the "
                              "default one cannot be changed){}",
                              name, change.value, cluster ? "DB cluster" : "DB",
                              change.needs_restart ? ", and reboot" : ""),
          .statement =
              fmt::format("aws rds modify-db-{0}parameter-group --db-{0}parameter-group-name GROUP "
                          "--parameters ParameterName={1},ParameterValue={2},ApplyMethod={3}",
                          cluster ? "cluster-" : "", name, change.value,
                          change.needs_restart ? "pending-reboot" : "immediate")};
}

}  // namespace

Hosting HostingOf(const HostingSigns& signs) {
  if (signs.is_aurora || signs.type == "auroramysql") return Hosting::kAurora;
  if (signs.type.starts_with("rds") || signs.basedir.starts_with("/rdsdbbin")) return Hosting::kRds;
  if (signs.version.find("-google") != std::string_view::npos) return Hosting::kCloudSql;
  if (signs.version.find("-azure") != std::string_view::npos) return Hosting::kAzure;
  return Hosting::kSelf;
}

Remedy RemedyOf(const VariableChange& change, Hosting hosting, const mysql::ServerInfo& server) {
  Remedy remedy;
  switch (hosting) {
    case Hosting::kSelf:
      remedy = OnItsOwn(change, server);
      break;
    case Hosting::kRds:
    case Hosting::kAurora:
      remedy = InParameterGroup(change, hosting == Hosting::kAurora);
      break;
    case Hosting::kCloudSql:
      remedy = {
          .text = "Set the database flag (a patch replaces all flags: name the others too)",
          .statement = fmt::format("gcloud sql instances patch INSTANCE --database-flags={}={}",
                                   change.name, change.value)};
      break;
    case Hosting::kAzure:
      remedy = {.text = "Set the server parameter",
                .statement = fmt::format("az mysql flexible-server parameter set --resource-group "
                                         "GROUP --server-name SERVER --name {} --value {}",
                                         change.name, change.value)};
      break;
  }
  if (change.by_session) remedy.text += "; then reconnect the applications that write";
  return remedy;
}

}  // namespace penstock::pipe
