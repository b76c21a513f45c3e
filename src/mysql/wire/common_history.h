#pragma once

#include <optional>
#include <stop_token>
#include <string_view>

#include "base/status.h"
#include "model/position.h"
#include "mysql/wire/connection.h"

namespace penstock::mysql {

// How much of what was read by GTID up to a place this server has, too: nullopt for all of it; else
// the place up to which it has it, where its log can be followed from. After a failover it may lack
// the last transactions of the server before, and have others in their stead.
Result<std::optional<model::Position>> CommonHistory(Connection& connection,
                                                     const model::Position& position,
                                                     std::stop_token stop);

// Whether the server comes from the history that was read, and only its end is another: it knows
// something of whatever it lacks the end of. Not so where its GTIDs were reset, or where it was
// made from a copy without them: its data has what no GTID of it tells.
bool PartsFromHistory(const model::Position& position, const model::Position& common);

// For MariaDB. `logged` is @@gtid_binlog_state, the last GTID of each server in each domain;
// `executed` is @@gtid_current_pos.
Result<std::optional<model::MariadbGtidPosition>> CommonMariadb(
    const model::MariadbGtidPosition& position, std::string_view logged,
    const model::MariadbGtidPosition& executed);

}  // namespace penstock::mysql
