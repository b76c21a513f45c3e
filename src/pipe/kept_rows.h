#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/status.h"
#include "catalog/catalog.h"
#include "clickhouse/client.h"
#include "pipe/spec.h"

namespace penstock::pipe {

// A target that several tables share keeps the rows of those that left the pipe, or are gone at the
// source, also when it is loaded anew.

// Those of `tables`, which are loaded beside their targets, whose targets may hold rows of others,
// by target.
std::map<std::string, std::vector<catalog::TableRecord>> SharedLoads(
    const PipeSpec& spec, const std::vector<catalog::TableRecord>& tables);

// Copies what the target of these tables, which are all that are loaded beside it into one table,
// holds of other sources into that, with the versions, so that it may be repeated. Columns that it
// lacks are added to it before. Call before the load counts as whole. kNeedsUser with the remedy
// where the rows do not fit the table.
Status CarryOver(clickhouse::Client& client, const std::string& database,
                 const std::vector<catalog::TableRecord>& tables, std::stop_token stop);

}  // namespace penstock::pipe
