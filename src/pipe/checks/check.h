#pragma once

#include <cstdint>
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
#include "pipe/setup.h"
#include "pipe/spec.h"

namespace penstock::pipe {

enum class Severity : uint8_t { kOk, kWarning, kError };

struct Finding {
  std::string check;  // "binlog_format"
  Severity severity = Severity::kOk;
  std::string message;  // what is so and what it means
  std::string remedy;   // the statement or step that mends it; "" for kOk
};

struct CheckReport {
  std::vector<Finding> findings;
  std::vector<std::string> ddl;  // what create would run, when the definitions could be read

  bool ok() const;  // no finding is an error
};

// What the checks look at. `source` and `destination` are absent when they could not be reached
// (the connection checks have said so): a check that needs them then finds nothing.
struct CheckContext {
  const PipeSpec& spec;
  clickhouse::Endpoint destination_endpoint = {};
  std::optional<mysql::Connection> source = {};
  std::optional<clickhouse::Client> destination = {};
  std::map<model::TableName, model::Table> tables = {};  // read by the tables check
  uint32_t destination_version = 0;                      // 26.7 is 2607; 0: not known
  std::optional<Existing> existing = {};                 // read by the destination_database check
  std::stop_token stop = {};
};

// One check, in a file of its own under pipe/checks/. Appends what it finds: at least one kOk,
// unless what it would look at is absent from the context. RunChecks fills in Finding::check.
using CheckFunction = void (*)(CheckContext& context, std::vector<Finding>& findings);

struct NamedCheck {
  std::string_view name;
  CheckFunction run;
};

// In the order they run: later ones rely on what earlier ones put into the context.
const std::vector<NamedCheck>& AllChecks();

CheckReport RunChecks(CheckContext& context);

}  // namespace penstock::pipe
