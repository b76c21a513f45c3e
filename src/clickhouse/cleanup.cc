#include "clickhouse/cleanup.h"

#include <fmt/format.h>

#include "clickhouse/ddl.h"
#include "clickhouse/quote.h"
#include "clickhouse/table_writes.h"

namespace penstock::clickhouse {

// A server asks what a condition selects part by part, while other parts have been done already. So
// each of the two steps keeps the rows that the other parts' conditions look for: first the rows
// that are no deletions go, of keys whose newest row is one; a deletion goes when its key has no
// other rows.
Status RemoveDeleted(Client& client, std::string_view database, std::string_view table,
                     const CleanUp& what, Clock& clock, std::stop_token stop) {
  const std::string name = QuoteTable(database, table);
  const std::string ours = what.shard ? " AND " + IsOfShard(*what.shard) : "";
  PENSTOCK_ASSIGN(const auto any, client.Rows(fmt::format("SELECT 1 FROM {} WHERE {} = 1{} LIMIT 1",
                                                          name, IsDeletedColumn(), ours),
                                              stop));
  if (any.empty()) return {};
  PENSTOCK_TRY(what.shard ? EndShardWrites(client, database, table, *what.shard, clock, stop)
                          : EndWrites(client, database, table, clock, stop));
  std::string columns;
  for (const std::string& column : what.key) {
    columns += (columns.empty() ? "" : ", ") + QuoteIdentifier(column);
  }
  const std::string deleted =
      fmt::format("SELECT {} FROM {} WHERE {} = 1{}", columns, name, IsDeletedColumn(), ours);
  const std::string sql = fmt::format(
      "ALTER TABLE {0} "
      "DELETE WHERE {1} = 0 AND ({2}) IN (SELECT {2} FROM {0} WHERE ({2}) IN ({3}) GROUP BY {2} "
      "HAVING argMax({1}, {4}) = 1), "
      "DELETE WHERE {1} = 1{5} AND ({2}) NOT IN (SELECT {2} FROM {0} WHERE {1} = 0 AND ({2}) IN "
      "({3}))",
      name, IsDeletedColumn(), columns, deleted, VersionColumn(), ours);
  return client
      .Query(sql, {{"mutations_sync", "0"}, {"allow_nondeterministic_mutations", "1"}},
             std::move(stop))
      .map([](auto) {});
}

}  // namespace penstock::clickhouse
