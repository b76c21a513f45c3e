#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "base/status.h"
#include "cli/api_client.h"

namespace penstock::cli {

// The commands that speak to a server. Each prints its result to stdout: tables for people, or what
// the API answered as JSON or YAML. Where something was asked for and did not come about, the
// answer is an error.
class PipeCommands {
 public:
  struct Options {
    ApiClient::Server server;
    bool json = false;  // what the API answered, not a table
    bool yaml = false;  // likewise, as YAML
  };
  PipeCommands(const Options& options, const std::stop_token& stop)
      : options_(options), stop_(stop), client_(options.server, stop) {}

  Status Check(const std::filesystem::path& file);
  Status Create(const std::filesystem::path& file, bool wait);
  Status List();
  Status ListNames();                              // a line each, for shells
  Status ListTableNames(const std::string& name);  // likewise, of its tables
  Status Show(const std::string& name);
  Status Tables(const std::string& name, bool ddl);
  Status Events(const std::string& name, size_t limit);
  Status Errors(const std::string& name, size_t limit);
  Status Batches(const std::string& name, size_t limit);
  // `table`: SCHEMA.TABLE (table_names.h), or "" for all.
  Status Partitions(const std::string& name, const std::string& table, size_t limit);
  Status Pause(const std::string& name, bool wait);
  Status Resume(const std::string& name, bool wait);
  // `tables`: SCHEMA.TABLE each; none: all. An error when some are not in place, once it was waited
  // for.
  Status Resync(const std::string& name, const std::vector<std::string>& tables, bool wait);
  // Likewise of quarantined tables.
  Status Retry(const std::string& name, const std::vector<std::string>& tables, bool wait);
  // `tables`: SCHEMA.TABLE[:TARGET] each.
  Status AddTables(const std::string& name, const std::vector<std::string>& tables, bool wait);
  Status RemoveTables(const std::string& name, const std::vector<std::string>& tables, bool drop,
                      bool wait);
  // "KEY=VALUE" each: a setting's name, a field's of the source, or a path like
  // source.mysql.credentials.username; a value as in JSON, or a text.
  Status Set(const std::string& name, const std::vector<std::string>& changes);
  Status Delete(const std::string& name, bool drop, bool wait);
  // With `watch` until a stop is requested: redrawn on a terminal, else a line a second.
  Status ShowStatus(const std::string& name, bool watch);

 private:
  void PrintValue(const nlohmann::json& value) const;
  using Wait = std::function<Status()>;                                // none: not waited for
  using Concerned = std::function<bool(const nlohmann::json& table)>;  // of the API's tables
  // Those of the tables of the pipe at `path` that are named.
  Result<nlohmann::json> TablesOf(const std::string& path, const std::vector<std::string>& names);
  // "events" of the pipe, or what of them is "errors".
  Status PrintEvents(const std::string& name, const char* resource, size_t limit);
  // PATCH of a resource of the pipe, which is printed after it was waited for.
  Status Change(const std::string& path, const std::string& resource, const nlohmann::json& body,
                const Wait& wait);
  Status Edit(const std::string& path, const nlohmann::json& change, bool wait);
  // Until the pipe is in one of the states, separated by spaces, and what that stands for is under
  // way: its stream has come to where the log ends, or its load has begun. Failed is an error, and
  // so is Paused, unless that is waited for.
  Status AwaitState(const std::string& path, std::string_view states);
  Status AwaitRetry(const std::string& path, const Concerned& concerned);
  // An error that names those of the tables that are quarantined, and why.
  Status CheckTables(const std::string& path, const Concerned& concerned);
  Status Watch(const std::string& path);
  // What the checks at the creation of the pipe at `path` warned of, a line each.
  Status PrintWarnings(const std::string& path);

  static constexpr std::chrono::milliseconds kPollInterval{200};
  const Options options_;
  const std::stop_token stop_;
  ApiClient client_;
};

}  // namespace penstock::cli
