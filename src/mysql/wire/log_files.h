#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/position.h"
#include "mysql/wire/connection.h"

namespace penstock::mysql {

// What the server calls itself: MySQL its UUID, MariaDB its server id. A server keeps it over
// restarts, and no two of a replication have the same.
Result<std::string> ServerName(Connection& connection, std::stop_token stop);

// kNeedsUser while the server writes no log.
Status CheckLogIsOn(Connection& connection, std::stop_token stop);

// kNeedsUser where a MySQL server has purged transactions that come after the position, which is by
// GTID.
Status CheckNotPurged(Connection& connection, const model::Position& position,
                      std::stop_token stop);

// "ON", "ON_PERMISSIVE", "OFF_PERMISSIVE" or "OFF"; "" where the server has no such mode.
Result<std::string> GtidMode(Connection& connection, std::stop_token stop);

// All that the server has executed, or for MariaDB logged, by GTID, as it prints it; "" without.
Result<std::string> LoggedGtids(Connection& connection, std::stop_token stop);

struct LogFile {
  std::string name;
  uint64_t bytes = 0;
};

// The files of the log, oldest first. Needs REPLICATION CLIENT (MariaDB: BINLOG MONITOR).
Result<std::vector<LogFile>> LogFiles(Connection& connection, std::stop_token stop);

// Whether a position by file lies in `files`: kNeedsUser if it was purged, is of a log that is no
// more, or is beyond the end of its file.
Status CheckInLog(const std::vector<LogFile>& files, const model::Position& position);

// Whether this is the server whose log was read (or, by MySQL's GTIDs, has all of it) and has since
// removed what comes next, or the file that the position lies in.
Result<bool> HasPurged(Connection& connection, const model::Position& position,
                       std::stop_token stop);

// Bytes of the log from `position` to its end; nullopt if its file is not there.
std::optional<uint64_t> BytesAfter(const std::vector<LogFile>& files,
                                   const model::Position& position);

// After how long the server removes files of its log; nullopt: never by itself.
Result<std::optional<std::chrono::seconds>> LogRetention(Connection& connection,
                                                         std::stop_token stop);

}  // namespace penstock::mysql
