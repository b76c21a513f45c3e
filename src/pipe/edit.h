#pragma once

#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <string_view>
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
  // Of those in both, what takes the place of a mapping of the spec: see TakeRemapped.
  struct Remapped {
    size_t mapping = 0;
    nlohmann::json by;
  };
  std::vector<Remapped> remapped = {};
};

// Settings that have no value of their own until they are given, so that null takes them back. Of
// every other field null counts as absent, as in the API.
bool MayBeTakenBack(std::string_view setting);

// kInvalidArgument, as ParsePipeSpec.
Result<PipeChange> ParsePipeChange(const nlohmann::json& body);

// A mapping of one table that is in both lists, by the names of both ends and without
// dropTargetTable, is to change in its place: it is taken out of them.
void TakeRemapped(const PipeSpec& spec, PipeChange& change);

// Of the tables of `before` those that have other mappings by it.
std::vector<RemappedTable> RemappedTables(const PipeSpec& before, const PipeChange& change,
                                          const PipeSpec& after);

// The tables to remove, by their places among the spec's; of a pattern, all that come from it.
// kInvalidArgument for one that is not mapped.
struct RemovedTable {
  size_t table = 0;
  bool drop_target = false;
};
Result<std::vector<RemovedTable>> TablesToRemove(const PipeSpec& spec, const PipeChange& change);

// The spec with the change's fields in it, with other mappings of tables in their places, without
// the tables to remove (patterns that one of these fits exclude it from now on), and with those to
// add at its end, checked as a new one; what patterns among these stand for is not known here.
// kInvalidArgument also for what cannot be changed while the pipe has tables that it shaped, and
// for a change of where a stored password is sent that does not hold the password.
Result<PipeSpec> Changed(const PipeSpec& spec, const PipeChange& change, const Limits& limits);

// The paths of the fields that differ, without their values; empty: the specs are the same.
std::vector<std::string> ChangedFields(const PipeSpec& before, const PipeSpec& after);

// Connects to the servers that such fields lead to, and looks for the `targets` at the destination.
// kInvalidArgument where that fails: what is wrong is in the request.
Status CheckServers(const PipeSpec& after, const clickhouse::Endpoint& destination,
                    const std::vector<std::string>& fields, const std::vector<std::string>& targets,
                    const std::stop_token& stop);

}  // namespace penstock::pipe
