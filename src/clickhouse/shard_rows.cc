#include "clickhouse/shard_rows.h"

#include <fmt/format.h>

#include <chrono>

#include "base/backoff.h"
#include "clickhouse/ddl.h"
#include "clickhouse/errors.h"
#include "clickhouse/quote.h"
#include "clickhouse/table_writes.h"

namespace penstock::clickhouse {
namespace {

// The last group of digits of a UUID, from the source's name (FNV-1a).
std::string MarkOf(const Shard& shard) {
  uint64_t hash = 14695981039346656037U;
  for (const std::string_view name :
       {std::string_view(shard.schema), std::string_view("\0", 1), std::string_view(shard.table)}) {
    for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211U;
  }
  return fmt::format("{:012x}", hash >> 16);
}

}  // namespace

std::string IsOfShard(const Shard& shard) {
  return fmt::format("{} = {} AND {} = {}", kSourceSchemaColumn, QuoteString(shard.schema),
                     kSourceTableColumn, QuoteString(shard.table));
}

std::string IsOfAny(const std::vector<Shard>& shards) {
  std::string any;
  for (const auto& [schema, table] : shards) {
    any +=
        fmt::format("{}({}, {})", any.empty() ? "" : ", ", QuoteString(schema), QuoteString(table));
  }
  if (any.empty()) return "0";
  return fmt::format("({}, {}) IN ({})", kSourceSchemaColumn, kSourceTableColumn, any);
}

std::string WriteQueryId(std::string_view database, std::string_view table,
                         const std::optional<Shard>& shard) {
  std::string id = WriteQueryId(database, table);
  if (!shard) return id;
  const std::string mark = MarkOf(*shard);
  id.replace(id.size() - mark.size(), mark.size(), mark);
  return id;
}

Status EndShardWrites(Client& client, std::string_view database, std::string_view table,
                      const Shard& shard, Clock& clock, std::stop_token stop) {
  return EndWrites(client, database, table, MarkOf(shard), clock, std::move(stop));
}

namespace {

constexpr Backoff::Options kWaiting{.first = std::chrono::milliseconds(100),
                                    .longest = std::chrono::seconds(5)};

// A failure may last so long where nobody knows whether it passes: one of a disk far away, say.
constexpr std::chrono::seconds kUnknownMax{10};

// The server goes on trying, and with what was ordered before it, by a user perhaps: whatever fails
// first holds up all that comes after it.
Error MutationFailed(std::string_view table, const std::string& why) {
  Error error = ExceptionError(kErrUnfinished, why);
  const int cause = ExceptionCodeOf(why);
  const bool passes = IsKnownException(cause) && ExceptionError(cause, why).code == error.code;
  if (passes) return error;
  error.code = ErrorCode::kNeedsUser;
  error.message = fmt::format("a mutation of {} fails: {}", table, error.message);
  error.remedy =
      "Find the one that fails in system.mutations, and mend its cause or end it (KILL MUTATION); "
      "then resync the table";
  return error;
}

// One of the same command may go on, whose sender did not wait for its end: one more would only
// wait behind it. A server shows a command in brackets of its own.
Status AwaitMutation(Client& client, std::string_view database, std::string_view table,
                     const std::string& command, Clock& clock, std::stop_token stop) {
  const auto bare = [](const std::string& text) {
    return fmt::format("replaceRegexpAll({}, '[`() ]', '')", text);
  };
  const std::string sql = fmt::format(
      "SELECT latest_fail_reason FROM system.mutations WHERE database = {} AND "
      "table = {} AND NOT is_done AND {} = {}",
      QuoteString(database), QuoteString(table), bare("command"), bare(QuoteString(command)));
  Backoff backoff(kWaiting);
  std::optional<SteadyTime> fails_since;
  while (true) {
    const auto going_on = client.Rows(sql, stop);
    if (!going_on && going_on.error().native_code == kErrAccessDenied) return {};
    if (!going_on) return Fail(going_on.error());
    if (going_on->empty()) return {};
    const std::string& why = going_on->at(0).at(0);
    if (!why.empty()) {
      const SteadyTime now = clock.Steady();
      if (!fails_since) fails_since = now;
      const bool is_known = IsKnownException(ExceptionCodeOf(why));
      if (is_known || now - *fails_since >= kUnknownMax) return Fail(MutationFailed(table, why));
    }
    if (!clock.Wait(backoff.Next(), stop)) return Fail(ErrorCode::kCancelled, "stopped");
  }
}

}  // namespace

// The order is carried out by the server whatever becomes of the statement, and on the rows that
// are there when it is given: what is written after it stays.
Status DeleteShard(Client& client, std::string_view database, std::string_view table,
                   const Shard& shard, Clock& clock, std::stop_token stop) {
  PENSTOCK_TRY(EndShardWrites(client, database, table, shard, clock, stop));
  const std::string name = QuoteTable(database, table);
  const std::string ours = IsOfShard(shard);
  const std::string command = "DELETE WHERE " + ours;
  PENSTOCK_TRY(AwaitMutation(client, database, table, command, clock, stop));
  PENSTOCK_ASSIGN(const auto any,
                  client.Rows(fmt::format("SELECT 1 FROM {} WHERE {} LIMIT 1", name, ours), stop));
  if (any.empty()) return {};
  return client
      .Query(fmt::format("ALTER TABLE {} {}", name, command),
             {{"mutations_sync", "2"}, {"query_id", WriteQueryId(database, table, shard)}}, stop)
      .map([](auto) {});
}

}  // namespace penstock::clickhouse
