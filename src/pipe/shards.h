#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "catalog/catalog.h"
#include "clickhouse/ddl.h"
#include "pipe/spec.h"

namespace penstock::pipe {

// Several source tables of one pipe may have the same target: they are its shards. Their rows tell
// their source (TableMapping::tells_source), so none of them meets another's.

// Decides for PipeSpec::tables from `first` on whether their rows tell the source: where a table
// before them has the same target, as that one's do; else where another has, or where their pattern
// or another may make others that have. What is decided stands, since the target is made by it. The
// `refused` have none: WasRefused.
void MarkShards(PipeSpec& spec, size_t first, const std::set<model::TableName>& refused = {});

// Whether the two may have the same target. kNeedsUser with the remedy.
Status CheckMayShare(const TableMapping& one, const TableMapping& other);

// Makes `target` the target of this shard too: it gets the columns that it does not have.
// kNeedsUser when the two have other sorting keys or types, or are to be made otherwise.
Status AddShard(const clickhouse::TableSpec& shard, clickhouse::TableSpec& target);

// What is to be done at the destination at `url` for tables of `all` that go, those that stay being
// the rest: where another has the same target, it stays, and only rows of it go.
struct GoingTable {
  size_t table = 0;
  bool drop_target = false;
  // Its target may hold rows of tables that went before: these stay, and the target with them.
  bool may_have_left = false;
};
std::vector<catalog::RemovalRecord> RemovalsOf(const std::vector<catalog::TableRecord>& all,
                                               const std::vector<GoingTable>& going,
                                               const std::string& url);

// Targets that stay as they are at the end of loads beside them, since the load of one of their
// tables is not whole. One that was gone at the source before is not waited for.
std::set<std::string> BrokenTargets(const std::vector<catalog::TableRecord>& all);

// For Catalog::EndLoad: what is loaded beside these is whole no more, as far as it was.
std::vector<catalog::LoadTargetRecord> GivenUp(const std::vector<catalog::TableRecord>& all,
                                               const std::set<std::string>& broken);

}  // namespace penstock::pipe
