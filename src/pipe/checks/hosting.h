#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mysql/wire/connection.h"

namespace penstock::pipe {

// Who runs a source: each has its own way to change a variable of the server.
enum class Hosting : uint8_t { kSelf, kRds, kAurora, kCloudSql, kAzure };

// `type`: the pipe's source.type. `version`: what the server says. `basedir`: its variable.
// `is_aurora`: whether it has the variable aurora_version.
struct HostingSigns {
  std::string_view type;
  std::string_view version;
  std::string_view basedir;
  bool is_aurora = false;
};
Hosting HostingOf(const HostingSigns& signs);

// A variable that is to get another value.
struct VariableChange {
  std::string_view name;
  std::string_view value;
  bool needs_restart = false;  // it can only be set in the server's configuration
  bool by_session = false;     // sessions that are open keep the old value
};

// How, for people, and the statement or command that does it ("" where there is none).
struct Remedy {
  std::string text;
  std::string statement;
};
Remedy RemedyOf(const VariableChange& change, Hosting hosting, const mysql::ServerInfo& server);

}  // namespace penstock::pipe
