#pragma once

#include <string_view>

#include "base/status.h"

namespace penstock::mysql {

// The error for an errno of a MySQL or MariaDB server, or of libmariadb itself (2000 to 2999):
// origin "source", its code and remedy from the table in errors.cc. An errno that is not in the
// table is kNeedsUser when the server sent it, kRetry when libmariadb did. `message` is the
// server's text, which names users and objects but never a password.
Error SourceError(int native_code, std::string_view message);

// Whether an error of a statement about one table, or one that was born here when its rows were
// read, says nothing against the others: the server is there, and lets the user in.
bool ConcernsOneTable(const Error& error);

// What a user needs for the log; MariaDB knows these names too.
inline constexpr std::string_view kGrantReplicationRemedy =
    "Grant it: GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO the user";

// Errnos that callers react to by name.
inline constexpr int kErrAccessDenied = 1045;
inline constexpr int kErrSpecificAccessDenied = 1227;
inline constexpr int kErrLockWaitTimeout = 1205;
inline constexpr int kErrLogRead = 1236;  // a dump that cannot start or go on: purged, bad position
inline constexpr int kErrSameServerId = 4052;  // MariaDB ended a dump for a later one
inline constexpr int kErrXaRecover = 1401;     // XA RECOVER without the privilege
inline constexpr int kErrServerLost = 2013;
inline constexpr int kErrInterrupted = 1317;  // KILL QUERY
// A SELECT that took longer than its limit: MariaDB, MySQL.
inline constexpr int kErrStatementTime = 1969;
inline constexpr int kErrExecutionTime = 3024;

}  // namespace penstock::mysql
