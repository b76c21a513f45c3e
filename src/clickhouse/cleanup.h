#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "clickhouse/client.h"

namespace penstock::clickhouse {

// Has the rows removed, from the disk too, of all keys whose newest row is a deletion. Answers when
// the server has taken the order, which it carries out behind; a key may take two calls. Call while
// nothing writes the table that is older than what it holds: what still runs is ended. Later writes
// do no harm. `key`: the sorting key. Nothing happens where nothing was deleted.
Status RemoveDeleted(Client& client, std::string_view database, std::string_view table,
                     const std::vector<std::string>& key, Clock& clock, std::stop_token stop);

}  // namespace penstock::clickhouse
