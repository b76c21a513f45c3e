#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/position.h"
#include "mysql/wire/connection.h"

namespace penstock::mysql {

// How to follow this server's log. `wanted` is "GTID", "FILE_POS", or "": GTIDs where the server
// has them. kNeedsUser where it has not what is wanted; kInvalidArgument for another `wanted`.
Result<model::Mechanism> ChooseMechanism(Connection& connection, std::string_view wanted,
                                         std::stop_token stop);

// Where a stream must start so that, with every SELECT begun from now on, nothing is missed: it
// covers only transactions that a SELECT can see. No transaction may be open on the connection.
// By file, MySQL needs BACKUP_ADMIN and SELECT on performance_schema.log_status, or RELOAD for a
// global read lock of a moment; a lock that others do not let through within 2 s is given up
// (kRetry, errno 1205), since writers wait behind it.
Result<model::Position> ReadStartPosition(Connection& connection, model::Mechanism mechanism,
                                          std::stop_token stop);

// The same, but without that lock: where only it would tell, its privilege is tried, and the answer
// is nullopt.
Result<std::optional<model::Position>> PeekStartPosition(Connection& connection,
                                                         model::Mechanism mechanism,
                                                         std::stop_token stop);

// Where the snapshot stands that a transaction of MariaDB was started with (WITH CONSISTENT
// SNAPSHOT): it shows all that is before, and nothing else.
Result<model::Position> ReadSnapshotPosition(Connection& connection, model::Mechanism mechanism,
                                             std::stop_token stop);

// Whether the user may take a global read lock, found out without one; the privilege may still not
// be enough (RDS, Aurora). The error says what is missing.
Status CheckMayLock(Connection& connection, const std::stop_token& stop);

// Whether this server has executed everything up to `position`. Asked of every connection that
// reads rows: a proxy or a failover may lead to a server that is behind. By file, a log of another
// base name has not.
Result<bool> HasExecuted(Connection& connection, const model::Position& position,
                         std::stop_token stop);

// Whether every SELECT begun from now on sees all that is in the log up to `position`: a
// transaction that waits for its semi-sync acknowledgement is in the log, and invisible. By file,
// MySQL needs what ReadStartPosition does without a lock (kNeedsUser). No transaction may be open
// on the connection.
Result<bool> IsVisible(Connection& connection, const model::Position& position,
                       std::stop_token stop);

// Prepared XA transactions. Their rows count as executed in GTID sets and are invisible to a
// SELECT: a snapshot must wait until there are none, but for those whose rows are held. MySQL 8 and
// later need XA_RECOVER_ADMIN for it (kNeedsUser, errno 1401).
struct PreparedXa {
  std::string id;   // for people
  std::string xid;  // as ddl::Statement::xid
};
Result<std::vector<PreparedXa>> PreparedXaTransactions(Connection& connection,
                                                       std::stop_token stop);

// A place in a log file.
struct LogPosition {
  std::string file;
  uint64_t offset = 0;
};

// The end of the log, as SHOW BINARY LOG STATUS says; kNeedsUser when the binary log is off.
Result<LogPosition> CurrentLogPosition(Connection& connection, std::stop_token stop);

// Databases that the server leaves out of its log (binlog_do_db, binlog_ignore_db).
struct LogFilter {
  std::vector<std::string> only;   // if there are any, all others are left out
  std::vector<std::string> never;  // else these are

  bool Hides(std::string_view database, bool ignore_case) const;
};
Result<LogFilter> ReadLogFilter(Connection& connection, std::stop_token stop);

// Whether `current` is at or after `wanted`. Files are ordered by the number at their end, and only
// within one base name.
bool LogReached(const LogPosition& current, const LogPosition& wanted);

// Whether all that comes before `wanted` comes before `current`, of one mechanism.
bool Reaches(const model::Position& current, const model::Position& wanted);

// Makes of `position` all that comes before it or before `other`, of one mechanism: the GTIDs of
// both; and the later place in files, where both are of one server.
void Join(model::Position& position, const model::Position& other);

}  // namespace penstock::mysql
