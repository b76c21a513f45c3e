#include "snapshot/consistent_connections.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <set>
#include <thread>

#include "mysql/wire/errors.h"
#include "mysql/wire/start_position.h"
#include "obs/log.h"

namespace penstock::snapshot {
namespace {

using mysql::Connection;
using mysql::Flavour;
using Connections = std::vector<Connection>;

// How long a lock may wait, and so hold up writers behind it; and how long it may outlive a client
// that the server no longer hears of.
constexpr int kLockWaitSeconds = 2;
constexpr int kLockIdleSeconds = 10;
constexpr int kLockAttemptsMax = 4;
// Without a lock a try costs a few round trips, and nobody waits for it.
constexpr int kPositionAttemptsMax = 50;

Result<std::string> QueryCell(Connection& connection, std::string_view sql,
                              const std::stop_token& stop) {
  PENSTOCK_ASSIGN(const auto rows, connection.Query(sql, stop));
  if (rows.empty() || rows[0].empty()) return std::string();
  return rows[0][0].value_or("");
}

// A refusal is an answer; anything else is an error.
Result<bool> IsAllowed(const Status& tried) {
  if (tried || tried.error().code == ErrorCode::kNotFound) return true;
  if (tried.error().code == ErrorCode::kNeedsUser) return false;
  return Fail(tried.error());
}

// Privileges are looked at first, so a table that is not there is never locked. Older servers do
// not lock the children that a foreign key's cascade changes.
Result<bool> MayLockTables(Connection& connection, const std::vector<model::TableName>& tables,
                           const std::stop_token& stop) {
  const auto& server = connection.server();
  if (server.number < (server.flavour == Flavour::kMysql ? 80'000 : 100'300)) return false;
  std::set<std::string> schemas;
  for (const auto& table : tables) schemas.insert(table.schema);
  for (const std::string& schema : schemas) {
    PENSTOCK_ASSIGN(
        const bool allowed,
        IsAllowed(connection.Execute(
            fmt::format("LOCK TABLES {}.`penstock_no_table` READ", mysql::QuoteIdentifier(schema)),
            stop)));
    if (!allowed) return false;
  }
  return true;
}

// Where no log tells all that was committed, equal positions mean nothing: a replica of MariaDB
// does not log what it replicates unless told so.
Result<bool> HasPositions(Connection& connection, const std::stop_token& stop) {
  constexpr std::string_view kMysql = "SELECT @@global.log_bin AND @@global.gtid_mode = 'ON'";
  constexpr std::string_view kMariadb =
      "SELECT @@global.log_bin AND (@@global.log_slave_updates OR (SELECT VARIABLE_VALUE = 0 "
      "FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'SLAVES_RUNNING'))";
  const bool is_mysql = connection.server().flavour == Flavour::kMysql;
  PENSTOCK_ASSIGN(const std::string answer,
                  QueryCell(connection, is_mysql ? kMysql : kMariadb, stop));
  return answer == "1";
}

// MySQL's global lock closes all tables, and waits for statements that use one. When it gives up,
// tables of a long statement stay closed to others until that ends: so it is not tried beside one,
// as far as the user may see it (PROCESS).
Result<bool> MayStayClosed(Connection& connection, const std::stop_token& stop) {
  if (connection.server().flavour != Flavour::kMysql) return false;
  PENSTOCK_ASSIGN(const std::string found,
                  QueryCell(connection,
                            "SELECT 1 FROM information_schema.PROCESSLIST WHERE COMMAND IN "
                            "('Query', 'Execute') AND TIME > 1 AND ID <> CONNECTION_ID() LIMIT 1",
                            stop));
  return !found.empty();
}

// All at once, so that little time passes between the first and the last.
Status StartTransactions(Connections& connections, const std::stop_token& stop) {
  std::vector<Status> started(connections.size());
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < connections.size(); ++i) {
      threads.emplace_back([&, i] {
        started[i] =
            connections[i].Execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", stop);
      });
    }
  }
  for (Status& status : started) PENSTOCK_TRY(std::move(status));
  return {};
}

using MaybePosition = std::optional<model::Position>;

// Of a connection of its own: what ends it, also the server, ends the lock. While it is held no
// transaction on the tables is between being visible and counting as executed, so that a third
// connection tells the position.
Status StartUnderLock(const ConsistentOptions& options, const std::string& lock,
                      Connections& connections, MaybePosition& position,
                      const std::stop_token& stop) {
  PENSTOCK_ASSIGN(auto locker,
                  Connection::Open(options.source, options.pipe_name + " snapshot lock", stop));
  std::optional<Connection> teller;
  if (options.mechanism) {
    PENSTOCK_ASSIGN(teller,
                    Connection::Open(options.source, options.pipe_name + " snapshot", stop));
  }
  PENSTOCK_TRY(locker.Execute(fmt::format("SET SESSION lock_wait_timeout={}, wait_timeout={}",
                                          kLockWaitSeconds, kLockIdleSeconds),
                              stop));
  PENSTOCK_TRY(locker.Execute(lock, stop));
  PENSTOCK_TRY(StartTransactions(connections, stop));
  if (teller) {
    PENSTOCK_ASSIGN(position, mysql::ReadStartPosition(*teller, *options.mechanism, stop));
  }
  // Fails if the lock is gone already.
  return locker.Execute("UNLOCK TABLES", stop);
}

std::string LockStatement(Consistency way, const std::vector<model::TableName>& tables) {
  if (way == Consistency::kGlobalLock) return "FLUSH TABLES WITH READ LOCK";
  std::set<std::string> locks;
  for (const auto& table : tables) {
    locks.insert(fmt::format("{}.{} READ", mysql::QuoteIdentifier(table.schema),
                             mysql::QuoteIdentifier(table.table)));
  }
  return fmt::format("LOCK TABLES {}", fmt::join(locks, ", "));
}

// MariaDB keeps the place in the log that each snapshot stands at.
Result<bool> StartAtOnePlace(const ConsistentOptions& options, Connections& connections,
                             MaybePosition& position, const std::stop_token& stop) {
  PENSTOCK_TRY(StartTransactions(connections, stop));
  std::optional<std::vector<mysql::TextRow>> first;
  for (Connection& connection : connections) {
    PENSTOCK_ASSIGN(auto place, connection.Query("SHOW STATUS WHERE Variable_name IN "
                                                 "('binlog_snapshot_file', "
                                                 "'binlog_snapshot_position')",
                                                 stop));
    if (!first) first = place;
    if (place != *first) return false;
  }
  if (options.mechanism) {
    PENSTOCK_ASSIGN(position,
                    mysql::ReadSnapshotPosition(connections[0], *options.mechanism, stop));
  }
  return true;
}

// A transaction becomes visible before its GTID leaves gtid_owned for gtid_executed: asked for in
// this order, one that became visible to some of the connections only is in one of both.
Result<bool> StartBetweenGtids(const ConsistentOptions& options, Connections& connections,
                               MaybePosition& position, const std::stop_token& stop) {
  if (options.mechanism == model::Mechanism::kFile) return false;  // GTIDs tell no place in a file
  constexpr std::string_view kExecuted = "SELECT @@global.gtid_executed";
  PENSTOCK_ASSIGN(const std::string before, QueryCell(connections[0], kExecuted, stop));
  PENSTOCK_TRY(StartTransactions(connections, stop));
  PENSTOCK_ASSIGN(const std::string owned,
                  QueryCell(connections[0], "SELECT @@global.gtid_owned", stop));
  PENSTOCK_ASSIGN(const std::string after, QueryCell(connections[0], kExecuted, stop));
  if (!owned.empty() || after != before) return false;
  if (options.mechanism) {
    position.emplace().mechanism = *options.mechanism;
    PENSTOCK_ASSIGN(position->mysql, model::MysqlGtidSet::Parse(before));
  }
  return true;
}

Result<bool> TryOnce(const ConsistentOptions& options, Consistency way, Connections& connections,
                     MaybePosition& position, const std::stop_token& stop) {
  if (way == Consistency::kSamePosition) {
    return connections[0].server().flavour == Flavour::kMysql
               ? StartBetweenGtids(options, connections, position, stop)
               : StartAtOnePlace(options, connections, position, stop);
  }
  if (way == Consistency::kGlobalLock) {
    PENSTOCK_ASSIGN(const bool closed, MayStayClosed(connections[0], stop));
    if (closed) return false;
  }
  const Status locked =
      StartUnderLock(options, LockStatement(way, options.tables), connections, position, stop);
  if (locked) return true;
  if (locked.error().native_code != mysql::kErrLockWaitTimeout) return Fail(locked.error());
  LogInfo(options.pipe_name, "the lock was not let through: {}", locked.error().ToString());
  return false;
}

// False: the way does not lead there; a refusal is said at once.
Result<bool> Try(const ConsistentOptions& options, Consistency way, Connections& connections,
                 MaybePosition& position, const std::stop_token& stop) {
  const bool by_lock = way != Consistency::kSamePosition;
  const int attempts = by_lock ? kLockAttemptsMax : kPositionAttemptsMax;
  const std::chrono::milliseconds wait(by_lock ? 2'000 : 10);
  for (int attempt = 1; attempt <= attempts; ++attempt) {
    auto opened = TryOnce(options, way, connections, position, stop);
    if (!opened && by_lock && opened.error().code == ErrorCode::kNeedsUser) {
      LogInfo(options.pipe_name, "no lock for the snapshot: {}", opened.error().ToString());
      return false;
    }
    if (!opened || *opened) return opened;
    if (attempt != attempts && !options.clock->Wait(wait, stop)) {
      return Fail(ErrorCode::kCancelled, "stopped");
    }
  }
  return false;
}

// A proxy may lead to several servers, and each has its own moments.
Result<Connections> OpenAll(const ConsistentOptions& options, const std::stop_token& stop) {
  Connections connections;
  std::string first;
  while (connections.size() < options.connections_max) {
    PENSTOCK_ASSIGN(auto connection,
                    Connection::Open(options.source, options.pipe_name + " snapshot", stop));
    PENSTOCK_TRY(
        connection.Execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", stop));
    PENSTOCK_TRY(ReleaseMetadataLocks(connection, stop));
    PENSTOCK_ASSIGN(
        const std::string server,
        QueryCell(connection, "SELECT CONCAT_WS('/', @@hostname, @@port, @@server_id)", stop));
    if (connections.empty()) first = server;
    if (server != first) {
      return Fail(ErrorCode::kRetry, "the source's address leads to several servers: {}, {}", first,
                  server);
    }
    connections.push_back(std::move(connection));
  }
  return connections;
}

}  // namespace

std::string_view ConsistencyText(Consistency consistency) {
  switch (consistency) {
    case Consistency::kGlobalLock:
      return "by connections opened under a global read lock of a moment (FLUSH TABLES WITH READ "
             "LOCK)";
    case Consistency::kTableLocks:
      return "by connections opened under read locks of a moment on the pipe's tables (LOCK "
             "TABLES)";
    case Consistency::kSamePosition:
      return "by connections opened without a lock, again until nothing was committed to the "
             "binary log meanwhile (changes made with sql_log_bin=0 aside)";
    case Consistency::kOneConnection:
      break;
  }
  return "by one connection, which reads all partitions one after the other";
}

Result<std::vector<Consistency>> WaysToSeeOneMoment(Connection& connection,
                                                    const std::vector<model::TableName>& tables,
                                                    std::stop_token stop) {
  std::vector<Consistency> ways;
  PENSTOCK_ASSIGN(const bool global, IsAllowed(mysql::CheckMayLock(connection, stop)));
  if (global) ways.push_back(Consistency::kGlobalLock);
  PENSTOCK_ASSIGN(const bool locks, MayLockTables(connection, tables, stop));
  if (locks) ways.push_back(Consistency::kTableLocks);
  PENSTOCK_ASSIGN(const bool positions, HasPositions(connection, stop));
  if (positions) ways.push_back(Consistency::kSamePosition);
  ways.push_back(Consistency::kOneConnection);
  return ways;
}

// MariaDB keeps them while the session could still log what it did.
Result<bool> ReleaseMetadataLocks(Connection& connection, std::stop_token stop) {
  if (connection.server().flavour == Flavour::kMysql) return true;
  PENSTOCK_ASSIGN(const std::string log, QueryCell(connection, "SELECT @@global.log_bin", stop));
  if (log != "1") return true;
  return IsAllowed(connection.Execute("SET SESSION sql_log_bin=0", stop));
}

Result<ConsistentConnections> OpenConsistent(const ConsistentOptions& options,
                                             std::stop_token stop) {
  PENSTOCK_ASSIGN(Connections connections, OpenAll(options, stop));
  PENSTOCK_ASSIGN(const auto ways, WaysToSeeOneMoment(connections[0], options.tables, stop));
  MaybePosition position;
  for (const Consistency way : ways) {
    const bool is_done = connections.size() == 1 && !options.mechanism;
    if (way == Consistency::kOneConnection || is_done) break;
    PENSTOCK_ASSIGN(const bool opened, Try(options, way, connections, position, stop));
    if (opened) {
      return ConsistentConnections{.connections = std::move(connections),
                                   .consistency = way,
                                   .position = std::move(position)};
    }
  }
  if (options.mechanism) {
    return Fail(Error{.code = ErrorCode::kRetry,
                      .message = "where in the log a snapshot of the source stands cannot be told",
                      .origin = "source",
                      .native_code = 0,
                      .remedy = "Grant RELOAD ON *.*, or LOCK TABLES on the databases of the "
                                "tables, to the user"});
  }
  connections.erase(connections.begin() + 1, connections.end());
  PENSTOCK_TRY(StartTransactions(connections, stop));
  return ConsistentConnections{.connections = std::move(connections),
                               .consistency = Consistency::kOneConnection,
                               .position = std::nullopt};
}

Result<std::string> TablePartitions(Connection& connection,
                                    const std::vector<model::TableName>& tables,
                                    std::stop_token stop) {
  std::string all;
  for (const auto& table : tables) {
    PENSTOCK_ASSIGN(const auto rows,
                    connection.Query(fmt::format("SELECT PARTITION_NAME, SUBPARTITION_NAME "
                                                 "FROM information_schema.PARTITIONS "
                                                 "WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {} "
                                                 "AND PARTITION_NAME IS NOT NULL ORDER BY 1, 2",
                                                 mysql::QuoteString(table.schema),
                                                 mysql::QuoteString(table.table)),
                                     stop));
    for (const auto& row : rows) {
      for (const auto& cell : row) all += mysql::QuoteString(cell.value_or(""));
    }
    all += ";";
  }
  return all;
}

}  // namespace penstock::snapshot
