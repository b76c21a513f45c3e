#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "clickhouse/client.h"
#include "clickhouse/shard_rows.h"

namespace penstock::clickhouse {

// Has the rows removed, from the disk too, of all keys whose newest row is a deletion. Answers when
// the server has taken the order, which it carries out behind; a key may take two calls. Call while
// nothing writes the table that is older than what it holds: what still runs is ended. Later writes
// do no harm. Nothing happens where nothing was deleted.
struct CleanUp {
  std::vector<std::string> key;  // the sorting key
  std::optional<Shard> shard;    // only its rows
};
Status RemoveDeleted(Client& client, std::string_view database, std::string_view table,
                     const CleanUp& what, Clock& clock, std::stop_token stop);

}  // namespace penstock::clickhouse
