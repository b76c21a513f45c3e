#pragma once

#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "base/status.h"
#include "pipe/spec.h"

namespace penstock::pipe {

// What a user wants changed of a pipe: the API's PATCH body, taken apart.
struct PipeChange {
  nlohmann::json fields;  // of the POST body's shape: those that change
  nlohmann::json tables_to_add = nlohmann::json::array();  // tableMappingsToAdd, as it was given
  struct Removal {
    TableMapping mapping;      // names count, of both ends
    bool drop_target = false;  // dropTargetTable, an extension
  };
  std::vector<Removal> tables_to_remove = {};  // tableMappingsToRemove
};

// kInvalidArgument, as ParsePipeSpec. Fields that are null count as absent.
Result<PipeChange> ParsePipeChange(const nlohmann::json& body);

// The tables to remove, by their places among the spec's; of a pattern, all that come from it.
// kInvalidArgument for one that is not mapped.
struct RemovedTable {
  size_t table = 0;
  bool drop_target = false;
};
Result<std::vector<RemovedTable>> TablesToRemove(const PipeSpec& spec, const PipeChange& change);

// The spec with the change's fields in it, without the tables to remove (patterns that one of
// these fits exclude it from now on), and with those to add at its end, checked as a new one; what
// patterns among these stand for is not known here. kInvalidArgument also for what cannot be
// changed while the pipe has tables that it shaped, and for a change of where a stored password is
// sent that does not hold the password.
Result<PipeSpec> Changed(const PipeSpec& spec, const PipeChange& change, const Limits& limits);

// The paths of the fields that differ, without their values; empty: the specs are the same.
std::vector<std::string> ChangedFields(const PipeSpec& before, const PipeSpec& after);

// Connects to the servers that such fields lead to, and looks for the `targets` at the destination.
// kInvalidArgument where that fails: what is wrong is in the request.
Status CheckServers(const PipeSpec& after, const clickhouse::Endpoint& destination,
                    const std::vector<std::string>& fields, const std::vector<std::string>& targets,
                    const std::stop_token& stop);

}  // namespace penstock::pipe
