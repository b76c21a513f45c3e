#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "pipe/checks/check.h"
#include "pipe/edit.h"
#include "pipe/figures.h"
#include "pipe/spec.h"
#include "pipe/state.h"
#include "pipe/status.h"

namespace penstock::pipe {

enum class Command : uint8_t { kStart, kStop };

// Owns all pipes of the process: starts their runners from the catalog, takes commands. Safe from
// any thread. Calls answer once the change is durable in the catalog; the work goes on behind.
class Supervisor {
 public:
  struct Options {
    catalog::Catalog* catalog = nullptr;
    std::filesystem::path data_dir;          // for what is not in the catalog
    std::filesystem::path secrets_dir = {};  // for ReadSecretFiles
    clickhouse::Endpoint default_destination;
    bool has_default_destination = false;
    bool default_is_embedded = false;
    uint64_t memory_limit_bytes = 0;
    Limits limits = {};
  };
  explicit Supervisor(Options options);
  ~Supervisor();  // stops every runner; their states stay as they are in the catalog

  // Starts a runner for each stored pipe. One that cannot be run as the process is now (its
  // destination was the server's own, say) becomes Failed, and holds up no other.
  Status Start();

  // ParsePipeSpec within this server's limits.
  Result<PipeSpec> Parse(const nlohmann::json& body) const;
  // Everything `create` would refuse, and what it would run; changes nothing at the servers. `spec`
  // gets the tables that its patterns stand for.
  CheckReport Check(PipeSpec& spec, std::stop_token stop);
  // Runs the checks; kInvalidArgument with all errors listed, and nothing made, unless all pass.
  // Each warning is an event of the new pipe, of kind "check".
  Result<PipeStatus> Create(PipeSpec spec, std::stop_token stop);
  // With no more than `tables_max` tables, as Runner::status; the others answer none.
  Result<PipeStatus> Get(const std::string& id, size_t tables_max) const;
  std::vector<PipeStatus> List() const;
  pipe::Figures Figures() const;  // for metrics
  // kConflict with the state and what is allowed.
  Result<PipeStatus> Apply(const std::string& id, Command command);
  // See Runner::RetryTables.
  Result<PipeStatus> RetryTables(const std::string& id,
                                 const std::vector<model::TableName>& tables);
  // Loads these tables of the source anew, or all where none is named: see Runner::Resync.
  Result<PipeStatus> Resync(const std::string& id, const std::vector<model::TableName>& tables);
  // Changes settings, name, credentials and servers, in any state; what runs goes on with them. A
  // server it is to lead to is connected to first: kInvalidArgument where that fails. Without any
  // difference nothing happens. Tables that come are checked as in Create, and loaded; from those
  // that go nothing is written any more.
  Result<PipeStatus> Edit(const std::string& id, const PipeChange& change,
                          const std::stop_token& stop);
  // Newest first.
  Result<std::vector<catalog::EventRecord>> Events(const std::string& id, size_t limit) const;
  Result<std::vector<catalog::Transition>> Transitions(const std::string& id, size_t limit) const;
  Result<std::vector<BatchStatus>> Batches(const std::string& id, size_t limit) const;
  // As Runner::Partitions.
  Result<std::vector<PartitionStatus>> Partitions(const std::string& id, const std::string& table,
                                                  size_t limit) const;
  // As Catalog: what was answered to a request with such a key, and settings of the whole server.
  Result<std::optional<catalog::AnswerRecord>> Answer(const std::string& key) const;
  Status SaveAnswer(const catalog::AnswerRecord& answer);
  Result<std::string> Setting(const std::string& name) const;
  Status SaveSetting(const std::string& name, const std::string& value);
  // Stops the runner and forgets the pipe, in any state. Its tables at the destination stay, or are
  // dropped. What is left to do there is waited for only for a few seconds: it goes on behind, over
  // restarts too, for as long as the destination is away, and the targets are not free until then.
  Status Delete(const std::string& id, bool drop_targets, std::stop_token stop);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::pipe
