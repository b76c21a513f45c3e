#pragma once

#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/status.h"
#include "catalog/catalog.h"
#include "clickhouse/client.h"
#include "pipe/spec.h"
#include "pipe/target_owners.h"

namespace penstock::pipe {

// What is left to do at the destination for tables that a pipe maps no more.

// How removals name the embedded server, whose port may be another one in the next process.
inline constexpr char kEmbedded[] = "the embedded ClickHouse";
// `embedded_url`: of this process, "" where there is none.
std::string PlaceOf(const std::string& url, const std::string& embedded_url);

// Whether it may be at that destination; `spec` is that of the removal's pipe. One of unknown place
// was left by an older version, or by a process that had no destination.
bool IsAt(const catalog::RemovalRecord& removal, const PipeSpec& spec,
          const clickhouse::Endpoint& destination, const std::string& embedded_url);

// For people.
std::string WaitsFor(const std::string& place);

struct RemovalOptions {
  catalog::Catalog* catalog = nullptr;
  std::string pipe_id;
  const PipeSpec& spec;
  clickhouse::Endpoint destination;  // of the pipe, in this process
  std::string embedded_url;          // as for PlaceOf
  std::function<Result<TakenTargets>(const std::vector<catalog::RemovalRecord>&)> find_kept;
  std::function<void(const std::string&)> tell;  // a line for people of each that stays
};

// Does a pipe's removals that are at its destination, as DropRemoved, and forgets them. Answers the
// places of the others, which wait for a process that has them; where the pipe has a destination of
// its own none will, and they are told and forgotten. May be repeated.
Result<std::set<std::string>> DoRemovals(const RemovalOptions& options, std::stop_token stop);

}  // namespace penstock::pipe
