#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "clickhouse/client.h"
#include "clickhouse/ddl.h"

namespace penstock::clickhouse {

// A new query id for a statement that writes the table: "penstock-DATABASE.TABLE-UUID". So whoever
// comes after it, another process perhaps, finds it at the server while it runs.
std::string WriteQueryId(std::string_view database, std::string_view table);

// Ends the statements with such an id that the server still runs, an insert that was sent in part
// for one: its rows would come after what is done next. Answers when none is left. Needs SELECT on
// system.processes (kNeedsUser).
Status EndWrites(Client& client, std::string_view database, std::string_view table, Clock& clock,
                 std::stop_token stop);

// Likewise those of them alone whose ids end so.
Status EndWrites(Client& client, std::string_view database, std::string_view table,
                 std::string_view id_end, Clock& clock, std::stop_token stop);

// Likewise the statement of this id alone.
Status EndWrite(Client& client, std::string_view query_id, Clock& clock, std::stop_token stop);

// Likewise all that were sent with this Endpoint::log_comment; `client` has another.
Status EndStatements(Client& client, std::string_view log_comment, Clock& clock,
                     std::stop_token stop);

// Rows are sent no more often than this with the same versions.
inline constexpr uint32_t kSendsMax = 8;

// Rows of one table that no other row of it shares a version with.
struct VersionedRows {
  std::string database;
  std::string table;
  uint64_t begin = 0;  // of versions
  uint64_t end = 0;
  uint64_t count = 0;
  std::string query_id = {};  // of the insert that sent them last; empty: any write of the table
  std::optional<uint32_t> send = std::nullopt;  // which one that was, from 0; absent: not known
};

// For InsertOptions::session of that send: a name that is found again after a crash, if the
// client's Endpoint::log_comment stands for who numbers the versions.
std::string InsertSession(const Client& client, const VersionedRows& rows);

// What became of an insert of them whose outcome is not known: ends it, should it still run, closes
// its session, should the server get to it later, and asks the table. True when all rows are there;
// else none is: a part of them is deleted. May be repeated.
Result<bool> SettleInsert(Client& client, VersionedRows rows, Clock& clock, std::stop_token stop);

// Deletes what is there of them, of an insert that the server has answered. May be repeated.
Status RemoveInsert(Client& client, const VersionedRows& rows, Clock& clock, std::stop_token stop);

// Empties the table, for good: no write that began before can still add to it. Errors as
// Client::Query; may be repeated.
Status TruncateTable(Client& client, std::string_view database, std::string_view table,
                     Clock& clock, std::stop_token stop);

// Columns that are to be added may be there already: of another shard, of a resync that kept what
// the target had, or of its user. kConflict where such a one has another default: what the table
// shows in older rows is not what the source has in them.
Status CheckDefaults(Client& client, std::string_view database, std::string_view table,
                     const std::vector<NewColumn>& columns, std::stop_token stop);

// Adds those of the columns that the table does not have; may be repeated. kNeedsUser where it has
// one of another type.
Status AddColumns(Client& client, std::string_view database, std::string_view table,
                  const std::vector<NewColumn>& columns, std::stop_token stop);

}  // namespace penstock::clickhouse
