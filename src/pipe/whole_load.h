#pragma once

#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/status.h"
#include "catalog/catalog.h"
#include "clickhouse/client.h"
#include "pipe/spec.h"
#include "pipe/target_owners.h"
#include "pipe/target_tables.h"

namespace penstock::pipe {

// A load without a stream to heal it, and one of a table whose target holds rows already, fills a
// table of its own beside the target, and takes the target's place when it is whole. Each attempt
// has tables of new names, so that what is still on its way from an attempt that died reaches none
// that counts.

// The load of a table without a stream is whole and recorded (Catalog::EndLoad), or in place
// (EndReload).
bool IsWhole(const catalog::TableRecord& table);

// Names for a new attempt, one a target, "TARGET_resync_" and 16 digits, to be recorded with
// Catalog::BeginLoad before the tables are made. Nothing happens at the destination.
std::vector<catalog::LoadTargetRecord> NewLoadTargets(
    const std::vector<catalog::TableRecord>& tables);

// Of one of a table like its target: `as_before`, as that is there now, with what a user has
// changed of it.
DdlStatement LoadTargetDdl(clickhouse::TableSpec target, const std::string& load_target,
                           bool as_before);

// Makes the load_target of each table that has one and is not whole, empty, like its target, and
// drops those of earlier attempts. The tables are in the order of the spec's.
Status MakeLoadTargets(const clickhouse::Endpoint& destination, const PipeSpec& spec,
                       const std::vector<catalog::TableRecord>& tables, std::stop_token stop);

// Drops what attempts at the loads of these tables have left.
Status DropLoadTargets(clickhouse::Client& client, const std::string& database,
                       const std::vector<catalog::TableRecord>& tables, std::stop_token stop);

// What tables that are mapped no more have left, but for targets that are `kept`, with why: what
// attempts at their loads have made and, where they are not to stay, the targets, or of those that
// hold rows of others their rows. May be repeated.
// Answers a line for people of each that stays all the same. An error: not all has been tried, or
// what was dropped was made again; repeat.
Result<std::vector<std::string>> DropRemoved(const clickhouse::Endpoint& destination,
                                             const std::string& database,
                                             const std::vector<catalog::RemovalRecord>& removals,
                                             const TakenTargets& kept, std::stop_token stop);

// The load_targets with their UUIDs, for Catalog::EndLoad. kRetry when one is not there.
Result<std::vector<catalog::LoadTargetRecord>> LoadedTargets(
    clickhouse::Client& client, const std::string& database,
    const std::vector<catalog::TableRecord>& tables, std::stop_token stop);

// Exchanges each load_target of loaded_uuid with its target, and drops what was the target: may be
// repeated after a crash anywhere. kNeedsUser when a target that is to be empty holds rows by now;
// kNotFound when a loaded table is gone: the load must be done again.
enum class TargetRows { kNone, kReplaced };
Status PutInPlace(const clickhouse::Endpoint& destination, const std::string& database,
                  const std::vector<catalog::TableRecord>& tables, TargetRows rows,
                  std::stop_token stop);

// The source of a pipe's tables is read anew, and their loads begin at what it is now: answers what
// Catalog::BeginReload stores of them, with the load_targets made. Call while nothing streams: the
// start position of each must not come before the checkpoint. Without a checkpoint there is a new
// one. A table that was added (it has no ddl yet) gets its target, and is loaded into that; those
// that are refused are quarantined instead. Shards of one target are loaded anew together. kRetry
// as ReadSourceNow, and when a server is away.
struct ReloadFrom {
  std::optional<catalog::Checkpoint> checkpoint = {};
  std::set<int64_t> in_part = {};        // tables whose loads did not come to their ends
  std::map<size_t, Error> refused = {};  // by their places among all
};
struct Reload {
  std::vector<catalog::TableRecord> tables;
  std::optional<catalog::Checkpoint> checkpoint = std::nullopt;
};
Result<Reload> PrepareReload(const clickhouse::Endpoint& destination, const PipeSpec& spec,
                             const std::vector<catalog::TableRecord>& all, const ReloadFrom& from,
                             Clock& clock, std::stop_token stop);

// The same for a pipe without a stream, whose load makes its tables itself and reads one moment
// then. kNeedsUser when one is not there.
Result<Reload> PrepareWholeReload(const PipeSpec& spec,
                                  const std::vector<catalog::TableRecord>& all,
                                  std::stop_token stop);

// Of a pipe without a stream, where a loaded table is gone: all that are loaded or being loaded are
// so again, at one moment. Those that are in place already hold rows of ours, which are replaced.
Result<Reload> PrepareLoadAgain(clickhouse::Client& client, const std::string& database,
                                const std::vector<catalog::TableRecord>& all, std::stop_token stop);

}  // namespace penstock::pipe
