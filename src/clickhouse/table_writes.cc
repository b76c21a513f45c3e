#include "clickhouse/table_writes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/backoff.h"
#include "base/random.h"
#include "clickhouse/ddl.h"
#include "clickhouse/errors.h"
#include "clickhouse/quote.h"

namespace penstock::clickhouse {
namespace {

constexpr Backoff::Options kEnding{.first = std::chrono::milliseconds(20),
                                   .longest = std::chrono::milliseconds(500)};

constexpr size_t kUuidLength = 36;
constexpr int kLooksMax = 120;                   // a minute
constexpr const char* kSessionSeconds = "3600";  // the longest that a server allows by default

std::string IdPrefix(std::string_view database, std::string_view table) {
  return fmt::format("penstock-{}.{}-", database, table);
}

bool SameType(std::string a, std::string b) {
  std::erase(a, ' ');
  std::erase(b, ' ');
  return a == b;
}

std::string InRange(const VersionedRows& rows) {
  return fmt::format("{0} >= {1} AND {0} < {2}", VersionColumn(), rows.begin, rows.end);
}

}  // namespace

std::string WriteQueryId(std::string_view database, std::string_view table) {
  return IdPrefix(database, table) + RandomUuid();
}

std::string InsertSession(const Client& client, const VersionedRows& rows) {
  return fmt::format("{}: {}.{} {} {}", client.log_comment(), rows.database, rows.table, rows.begin,
                     *rows.send);
}

namespace {

// The statements that `ours` selects of system.processes.
Status EndThose(Client& client, const std::string& ours, Clock& clock, std::stop_token stop) {
  const std::string processes =
      client.cluster().empty()
          ? "system.processes"
          : fmt::format("clusterAllReplicas({}, system.processes)", QuoteString(client.cluster()));
  Backoff backoff(kEnding);
  for (int look = 0; look < kLooksMax; ++look) {
    PENSTOCK_ASSIGN(
        const auto running,
        client.Rows(fmt::format("SELECT query_id FROM {} WHERE {}", processes, ours), stop));
    if (running.empty()) return {};
    PENSTOCK_TRY(client.Query(
        fmt::format("KILL QUERY{} WHERE {} ASYNC", OnCluster(client.cluster()), ours), {}, stop));
    if (!clock.Wait(backoff.Next(), stop)) return Fail(ErrorCode::kCancelled, "stopped");
  }
  return Fail(ErrorCode::kRetry, "statements that were killed do not end: {}", ours);
}

Status EndInsert(Client& client, const VersionedRows& rows, Clock& clock, std::stop_token stop) {
  return rows.query_id.empty() ? EndWrites(client, rows.database, rows.table, clock, stop)
                               : EndWrite(client, rows.query_id, clock, stop);
}

// From here on the server refuses inserts of this session, for as long as it keeps one that nobody
// uses. A session keeps the time that it began with: what an insert left behind, for a second, is
// removed first. An insert that has begun holds its session (false) until it ends.
Result<bool> CloseSession(Client& client, const VersionedRows& rows, std::stop_token stop) {
  const std::string name = InsertSession(client, rows);
  const auto removed = client.Query(
      "SELECT 1", {{"session_id", name}, {"session_check", "1"}, {"close_session", "1"}}, stop);
  if (!removed && removed.error().native_code == kErrSessionIsLocked) return false;
  Settings settings = {{"session_id", name}, {"session_timeout", kSessionSeconds}};
  auto closed = client.Query("SET readonly = 1", settings, stop);
  if (!closed && closed.error().native_code == kErrInvalidSessionTimeout) {
    settings.pop_back();  // the server's own then
    closed = client.Query("SET readonly = 1", settings, stop);
  }
  if (closed || closed.error().native_code == kErrReadonly) return true;
  if (closed.error().native_code == kErrSessionIsLocked) return false;
  // A user whose profile pins `readonly`: then a late insert is not refused.
  if (closed.error().native_code == kErrSettingConstraintViolation) return true;
  return Fail(closed.error());
}

// Ends the insert for good.
Status EndForGood(Client& client, const VersionedRows& rows, Clock& clock, std::stop_token stop) {
  Backoff backoff(kEnding);
  for (int look = 0; look < kLooksMax; ++look) {
    PENSTOCK_ASSIGN(const bool is_closed, CloseSession(client, rows, stop));
    if (is_closed) return {};
    PENSTOCK_TRY(EndInsert(client, rows, clock, stop));
    if (!clock.Wait(backoff.Next(), stop)) return Fail(ErrorCode::kCancelled, "stopped");
  }
  return Fail(ErrorCode::kRetry, "an insert into {} that was given up does not end",
              QuoteTable(rows.database, rows.table));
}

// Of those rows, how many are there.
Result<uint64_t> Count(Client& client, const VersionedRows& rows, std::stop_token stop) {
  PENSTOCK_ASSIGN(const auto counted,
                  client.Rows(fmt::format("SELECT count() FROM {} WHERE {}",
                                          QuoteTable(rows.database, rows.table), InRange(rows)),
                              stop));
  const std::string& text = counted.at(0).at(0);
  uint64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

Status DeleteRows(Client& client, const VersionedRows& rows, std::stop_token stop) {
  return client
      .Query(fmt::format("ALTER TABLE {} DELETE WHERE {}", QuoteTable(rows.database, rows.table),
                         InRange(rows)),
             {{"mutations_sync", "2"}, {"query_id", WriteQueryId(rows.database, rows.table)}},
             std::move(stop))
      .map([](auto) {});
}

}  // namespace

Status EndWrites(Client& client, std::string_view database, std::string_view table, Clock& clock,
                 std::stop_token stop) {
  return EndWrites(client, database, table, "", clock, std::move(stop));
}

Status EndWrites(Client& client, std::string_view database, std::string_view table,
                 std::string_view id_end, Clock& clock, std::stop_token stop) {
  const std::string prefix = IdPrefix(database, table);
  return EndThose(
      client,
      fmt::format("startsWith(query_id, {}) AND length(query_id) = {} AND endsWith(query_id, {})",
                  QuoteString(prefix), prefix.size() + kUuidLength, QuoteString(id_end)),
      clock, std::move(stop));
}

Status EndWrite(Client& client, std::string_view query_id, Clock& clock, std::stop_token stop) {
  return EndThose(client, "query_id = " + QuoteString(query_id), clock, std::move(stop));
}

Status EndStatements(Client& client, std::string_view log_comment, Clock& clock,
                     std::stop_token stop) {
  return EndThose(client, "Settings['log_comment'] = " + QuoteString(log_comment), clock,
                  std::move(stop));
}

Result<bool> SettleInsert(Client& client, VersionedRows rows, Clock& clock, std::stop_token stop) {
  PENSTOCK_TRY(EndInsert(client, rows, clock, stop));
  const uint32_t first = rows.send.value_or(0);
  const uint32_t end = rows.send ? first + 1 : kSendsMax;
  for (rows.send = first; *rows.send < end; ++*rows.send) {
    PENSTOCK_TRY(EndForGood(client, rows, clock, stop));
  }
  PENSTOCK_ASSIGN(const uint64_t count, Count(client, rows, stop));
  if (count == rows.count) return true;
  if (count != 0) PENSTOCK_TRY(DeleteRows(client, rows, stop));
  return false;
}

Status RemoveInsert(Client& client, const VersionedRows& rows, Clock& clock, std::stop_token stop) {
  PENSTOCK_TRY(EndInsert(client, rows, clock, stop));
  PENSTOCK_ASSIGN(const uint64_t count, Count(client, rows, stop));
  return count == 0 ? Status() : DeleteRows(client, rows, std::move(stop));
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

namespace {

using Rows = std::vector<std::vector<std::string>>;

// Name, type and default of the columns that values can be written to.
Result<Rows> ReadColumns(Client& client, std::string_view database, std::string_view table,
                         std::stop_token stop) {
  return client.Rows(
      fmt::format("SELECT name, type, default_expression FROM system.columns WHERE database = {} "
                  "AND table = {} AND default_kind IN ('', 'DEFAULT')",
                  QuoteString(database), QuoteString(table)),
      std::move(stop));
}

// The default of such a column; null where there is none of that type.
const std::string* FindDefault(const Rows& there, const DestinationColumn& column) {
  const auto found = std::ranges::find(there, column.name, [](const auto& row) { return row[0]; });
  return found != there.end() && SameType(found->at(1), column.type) ? &found->at(2) : nullptr;
}

// The value that a column of the type shows in rows that do not hold it.
std::string ValueOf(const std::string& default_expression, const std::string& type) {
  if (default_expression.empty()) {
    return fmt::format("defaultValueOfTypeName({})", QuoteString(type));
  }
  return fmt::format("CAST({}, {})", default_expression, QuoteString(type));
}

// False also for a default that is not one value: of the row's other columns, say.
Result<bool> IsAlike(Client& client, const std::string& there, const DestinationColumn& column,
                     std::stop_token stop) {
  if (there == column.default_expression) return true;
  const auto alike = client.Rows(
      fmt::format("SELECT toString(tuple({})) = toString(tuple({}))", ValueOf(there, column.type),
                  ValueOf(column.default_expression, column.type)),
      std::move(stop));
  if (alike) return alike->at(0).at(0) == "1";
  const Error& error = alike.error();
  const bool is_unknown = error.native_code != 0 && !IsKnownException(error.native_code);
  if (is_unknown || ConcernsOneTable(error)) return false;
  return Fail(error);
}

std::string Shown(const std::string& default_expression) {
  return default_expression.empty() ? "no DEFAULT" : "DEFAULT " + default_expression;
}

}  // namespace

Status CheckDefaults(Client& client, std::string_view database, std::string_view table,
                     const std::vector<NewColumn>& columns, std::stop_token stop) {
  PENSTOCK_ASSIGN(const auto rows, ReadColumns(client, database, table, stop));
  for (const auto& [column, after] : columns) {
    const std::string* there = FindDefault(rows, column);
    if (there == nullptr) continue;
    PENSTOCK_ASSIGN(const bool is_alike, IsAlike(client, *there, column, stop));
    if (is_alike) continue;
    Error error = ExceptionError(
        kErrTypeMismatch,
        fmt::format("the target table {} has a column {} already, and what it shows in older rows "
                    "is not what the source has in them: {} there, {} here",
                    QuoteTable(database, table), column.name, Shown(*there),
                    Shown(column.default_expression)));
    error.code = ErrorCode::kConflict;
    error.remedy = "Nothing: it is resynced by itself";
    return Fail(std::move(error));
  }
  return {};
}

Status AddColumns(Client& client, std::string_view database, std::string_view table,
                  const std::vector<NewColumn>& columns, std::stop_token stop) {
  if (columns.empty()) return {};
  PENSTOCK_TRY(client
                   .Query(AlterTableAdd(database, table, columns, client.cluster()),
                          AlterTableAddSettings(columns), stop)
                   .map([](auto) {}));
  PENSTOCK_ASSIGN(const auto rows, ReadColumns(client, database, table, std::move(stop)));
  for (const auto& [column, after] : columns) {
    if (FindDefault(rows, column) != nullptr) continue;
    return Fail(ExceptionError(kErrTypeMismatch,
                               fmt::format("the target table {} has no column {} of type {} "
                                           "that can be written",
                                           QuoteTable(database, table), column.name, column.type)));
  }
  return {};
}

}  // namespace penstock::clickhouse
