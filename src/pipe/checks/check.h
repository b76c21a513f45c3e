#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "clickhouse/client.h"
#include "model/table.h"
#include "mysql/wire/connection.h"
#include "pipe/checks/hosting.h"
#include "pipe/setup.h"
#include "pipe/spec.h"
#include "pipe/target_owners.h"

namespace penstock::pipe {

// kNotRun: what the check would look at could not be had, and another check says why.
enum class Severity : uint8_t { kOk, kWarning, kError, kNotRun };
std::string_view SeverityName(Severity severity);  // "ok", "warning", "error", "notRun"

enum class CheckGroup : uint8_t { kSource, kTables, kDestination };
std::string_view GroupName(CheckGroup group);  // "source", "tables", "destination"

struct Finding {
  std::string check;  // "binlog_format"
  CheckGroup group = CheckGroup::kSource;
  Severity severity = Severity::kOk;
  std::string message;    // what is so and what it means
  std::string remedy;     // the step that mends it, for people; "" for kOk
  std::string statement;  // the SQL or shell command of that step, to be run as it is; may be ""
};

struct CheckReport {
  std::vector<Finding> findings;
  std::vector<std::string> ddl;  // what create would run, when the definitions could be read

  bool ok() const;  // no finding is an error
};

// What the source is, as far as its first connection tells. A value, so that checks of it need no
// server in a test.
struct SourceFacts {
  mysql::ServerInfo server;
  std::string account;                                        // 'penstock'@'%', as GRANT wants it
  std::map<std::string, std::string, std::less<>> variables;  // global ones; ON and OFF
  Hosting hosting = Hosting::kSelf;

  bool is_mariadb() const { return server.flavour == mysql::Flavour::kMariadb; }
};

// What pipes have of what the spec names.
struct Ownership {
  std::optional<Error> name_taken = {};     // another pipe has this name
  Result<TakenTargets> targets_taken = {};  // by others; the spec may not have them
  Targets targets_in_use = {};              // the pipe's, of other tables than the spec's
};

// What the checks look at. What could not be had is absent: see Needs.
struct CheckContext {
  const PipeSpec& spec;
  Ownership ownership = {};
  clickhouse::Endpoint destination_endpoint = {};  // without a url: the pipe has none
  std::optional<mysql::Connection> source = {};
  std::optional<SourceFacts> facts = {};  // read by the source_connection check
  std::optional<clickhouse::Client> destination = {};
  std::map<model::TableName, model::Table> tables = {};  // read by the tables_exist check
  std::optional<std::chrono::seconds> retention = {};    // read by the log_retention check
  uint32_t destination_version = 0;                      // 26.7 is 2607; 0: not known
  std::string destination_user = {};                     // quoted
  std::optional<Existing> existing = {};                 // read by the destination_database check
  std::stop_token stop = {};
};

// One check, in a file of its own under pipe/checks/. Appends what it finds, at least one kOk.
// RunChecks fills in Finding::check and Finding::group.
using CheckFunction = void (*)(CheckContext& context, std::vector<Finding>& findings);

// Without what it needs a check is not run, and that is its finding.
struct Needs {
  bool source = false;       // CheckContext::source and ::facts
  bool log = false;          // that the pipe follows the log; else there is nothing to look at
  bool tables = false;       // CheckContext::tables of at least one table
  bool destination = false;  // CheckContext::destination
  bool existing = false;     // CheckContext::existing
};

struct NamedCheck {
  std::string_view name;
  CheckGroup group;
  Needs needs;
  CheckFunction run;
};

// In the order they run: later ones rely on what earlier ones put into the context.
const std::vector<NamedCheck>& AllChecks();

CheckReport RunChecks(CheckContext& context);

}  // namespace penstock::pipe
