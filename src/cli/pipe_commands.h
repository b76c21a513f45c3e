#pragma once

#include <filesystem>
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
  Status Batches(const std::string& name, size_t limit);
  // `table`: SCHEMA.TABLE, or "" for all.
  Status Partitions(const std::string& name, const std::string& table, size_t limit);
  Status Pause(const std::string& name, bool wait);
  Status Resume(const std::string& name, bool wait);
  // `tables`: SCHEMA.TABLE each; none: all.
  Status Resync(const std::string& name, const std::vector<std::string>& tables, bool wait);
  // Likewise of quarantined tables. An error when some still are, once it was waited for.
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
  Status Order(const std::string& name, const nlohmann::json& order, bool wait,
               std::string_view awaited);
  // PATCH of a resource of the pipe; with `wait`, until it is in one of the states.
  Status Change(const std::string& name, const std::string& resource, const nlohmann::json& body,
                bool wait, std::string_view awaited);
  Status Edit(const std::string& name, const nlohmann::json& change, bool wait);
  // Until the pipe at `path` is in one of the states, separated by spaces. Failed is an error.
  Status AwaitState(const std::string& path, std::string_view states);
  Status AwaitRetry(const std::string& path);
  Status Watch(const std::string& path);
  // What the checks at the creation of the pipe at `path` warned of, a line each.
  Status PrintWarnings(const std::string& path);

  const Options options_;
  const std::stop_token stop_;
  ApiClient client_;
};

}  // namespace penstock::cli
