#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "clickhouse/client.h"

namespace penstock::clickhouse {

// The rows of one source in a table that several share (SourceColumns).
struct Shard {
  std::string schema;
  std::string table;

  bool operator==(const Shard&) const = default;
};

// SQL that is true of its rows; of those of any.
std::string IsOfShard(const Shard& shard);
std::string IsOfAny(const std::vector<Shard>& shards);

// A WriteQueryId that also tells whose rows are written, where there is a shard: EndWrites ends all
// of the table's, EndShardWrites those of the shard (of another too, should their marks be alike).
std::string WriteQueryId(std::string_view database, std::string_view table,
                         const std::optional<Shard>& shard);
Status EndShardWrites(Client& client, std::string_view database, std::string_view table,
                      const Shard& shard, Clock& clock, std::stop_token stop);

// Deletes the rows of the shard, for good: no write of it that began before can still add to them.
// The others' rows stay, and their writes go on. Answers when it is done. May be repeated.
Status DeleteShard(Client& client, std::string_view database, std::string_view table,
                   const Shard& shard, Clock& clock, std::stop_token stop);

}  // namespace penstock::clickhouse
