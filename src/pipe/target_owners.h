#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "catalog/catalog.h"
#include "pipe/spec.h"

namespace penstock::pipe {

// One target belongs to one pipe, and there to one table or to those that may share it (shards.h):
// to the first that claims it in the catalog, be it
// with its record, with the spec of a pipe that has no records yet, or with what is yet to be
// dropped. A table that was refused claims none.

using Targets = std::set<std::string, std::less<>>;
// Those that a pipe may not have, and why.
using TakenTargets = std::map<std::string, Error, std::less<>>;

// What a pipe has to know of the others.
struct OtherPipes {
  // Of these targets, at the destination of the spec, those that are not this pipe's.
  std::function<Result<TakenTargets>(const PipeSpec&, const Targets&)> find_taken =
      [](const auto&, const auto&) { return TakenTargets(); };
  // Of the targets of these removals those that another pipe has, and those that it claims where it
  // is not certain whose they are.
  std::function<Result<TakenTargets>(const PipeSpec&, const std::vector<catalog::RemovalRecord>&)>
      find_kept = [](const auto&, const auto&) { return TakenTargets(); };
  // Does it while none of them claims a target; kRetry, undone, where one is about to.
  std::function<Status(const std::function<Status()>&)> claim = [](const auto& act) {
    return act();
  };
};

Targets TargetsOf(const std::vector<TableMapping>& tables);

// Refused before anything was made for it.
bool WasRefused(const catalog::TableRecord& table);
std::set<model::TableName> RefusedOf(const std::vector<catalog::TableRecord>& tables);

// Whether what is at the table's target, or beside it, may be of its making; `all`: of its pipe.
bool MayHaveTarget(const catalog::TableRecord& table, const std::vector<catalog::TableRecord>& all);

// Of these targets those that the pipe claims with its tables; kMade: those that it has, where
// there are records of its tables.
enum class ClaimKind { kAny, kMade };
Result<Targets> ClaimsOf(catalog::Catalog& catalog, const std::string& pipe_id,
                         const PipeSpec& spec, const Targets& targets, ClaimKind kind);

// Of tables that are to get their targets, those that may not, by their places in the spec; with a
// remedy. `records` are of the first of its tables; the others are new.
std::map<size_t, Error> FindRefused(const PipeSpec& spec,
                                    const std::vector<catalog::TableRecord>& records,
                                    const TakenTargets& taken);

}  // namespace penstock::pipe
