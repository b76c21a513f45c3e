#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "clickhouse/client.h"
#include "pipe/spec.h"
#include "snapshot/consistent_connections.h"

namespace penstock::pipe {

// What the tables are to be read from whose load no stream heals (IsLoadedInSnapshot) and is not
// whole yet; nullopt without such a table. They are followed from where the snapshot stands: that
// is on record, with empty tables to fill, when it answers. Call while nothing streams. kRetry
// while the snapshot cannot be had.
Result<std::optional<snapshot::ConsistentConnections>> OpenSnapshot(
    catalog::Catalog& catalog, const std::string& pipe_id, const PipeSpec& spec,
    const clickhouse::Endpoint& destination, Clock& clock, std::stop_token stop);

}  // namespace penstock::pipe
