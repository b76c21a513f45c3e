#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "clickhouse/client.h"

namespace penstock::clickhouse {

// A new query id for a statement that writes the table: "penstock-DATABASE.TABLE-UUID". So whoever
// comes after it, another process perhaps, finds it at the server while it runs.
std::string WriteQueryId(std::string_view database, std::string_view table);

// Ends the statements with such an id that the server still runs, an insert that was sent in part
// for one: its rows would come after what is done next. Answers when none is left. Needs SELECT on
// system.processes (kNeedsUser).
Status EndWrites(Client& client, std::string_view database, std::string_view table, Clock& clock,
                 std::stop_token stop);

// Empties the table, for good: no write that began before can still add to it. Errors as
// Client::Query; may be repeated.
Status TruncateTable(Client& client, std::string_view database, std::string_view table,
                     Clock& clock, std::stop_token stop);

}  // namespace penstock::clickhouse
