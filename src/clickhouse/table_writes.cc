#include "clickhouse/table_writes.h"

#include <fmt/format.h>

#include "base/backoff.h"
#include "base/random.h"
#include "clickhouse/quote.h"

namespace penstock::clickhouse {
namespace {

constexpr Backoff::Options kEnding{.first = std::chrono::milliseconds(20),
                                   .longest = std::chrono::milliseconds(500)};

constexpr size_t kUuidLength = 36;
constexpr int kLooksMax = 120;  // a minute

std::string IdPrefix(std::string_view database, std::string_view table) {
  return fmt::format("penstock-{}.{}-", database, table);
}

}  // namespace

std::string WriteQueryId(std::string_view database, std::string_view table) {
  return IdPrefix(database, table) + RandomUuid();
}

Status EndWrites(Client& client, std::string_view database, std::string_view table, Clock& clock,
                 std::stop_token stop) {
  const std::string prefix = IdPrefix(database, table);
  const std::string ours = fmt::format("startsWith(query_id, {}) AND length(query_id) = {}",
                                       QuoteString(prefix), prefix.size() + kUuidLength);
  Backoff backoff(kEnding);
  for (int look = 0; look < kLooksMax; ++look) {
    PENSTOCK_ASSIGN(const auto running,
                    client.Rows("SELECT query_id FROM system.processes WHERE " + ours, stop));
    if (running.empty()) return {};
    PENSTOCK_TRY(client.Query(fmt::format("KILL QUERY WHERE {} ASYNC", ours), {}, stop));
    if (!clock.Wait(backoff.Next(), stop)) return Fail(ErrorCode::kCancelled, "stopped");
  }
  return Fail(ErrorCode::kRetry, "inserts into {} that were killed do not end",
              QuoteTable(database, table));
}

// Of unlimited size: what is emptied is empty at the source. A statement whose reply was lost is
// ended before the error is told.
Status TruncateTable(Client& client, std::string_view database, std::string_view table,
                     Clock& clock, std::stop_token stop) {
  PENSTOCK_TRY(EndWrites(client, database, table, clock, stop));
  return client
      .Query("TRUNCATE TABLE " + QuoteTable(database, table),
             {{"query_id", WriteQueryId(database, table)}, {"max_table_size_to_drop", "0"}}, stop)
      .map([](auto) {});
}

}  // namespace penstock::clickhouse
