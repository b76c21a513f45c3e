#pragma once

#include <chrono>
#include <optional>
#include <stop_token>

#include "base/status.h"
#include "mysql/wire/connection.h"

namespace penstock::mysql {

// A channel does not run, so that its lag is not known and grows.
inline constexpr std::chrono::seconds kReplicationStopped = std::chrono::seconds::max();

// How far the server is behind the one it replicates, beyond the delay it was told to keep; the
// longest of several. nullopt where it replicates nothing. Needs REPLICATION CLIENT (MariaDB from
// 10.5 on: SLAVE MONITOR).
Result<std::optional<std::chrono::seconds>> ReplicaLag(Connection& connection,
                                                       std::stop_token stop);

}  // namespace penstock::mysql
