#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "model/position.h"
#include "model/table.h"
#include "mysql/wire/connection.h"

namespace penstock::snapshot {

// How the transactions of several connections come to see one moment of the source.
enum class Consistency : uint8_t {
  kGlobalLock,     // opened while FLUSH TABLES WITH READ LOCK held up all writers
  kTableLocks,     // opened while LOCK TABLES ... READ held up writers to the tables
  kSamePosition,   // nothing was committed to the binary log while they opened
  kOneConnection,  // there is only one of them
};

// "by connections opened under a global read lock ...": to follow "all tables are read at one
// moment".
std::string_view ConsistencyText(Consistency consistency);

// The ways that this server and user allow, best first; kOneConnection is always the last. Takes no
// lock. A way that is listed may still fail: hosted servers refuse the global lock whatever the
// privileges, statements that run for long do not let a lock through, and constant writes leave no
// gap in the log.
Result<std::vector<Consistency>> WaysToSeeOneMoment(mysql::Connection& connection,
                                                    const std::vector<model::TableName>& tables,
                                                    std::stop_token stop);

// Lets the metadata locks of later transactions end with ROLLBACK TO SAVEPOINT. False where they
// cannot: MariaDB with a binary log, for a user without BINLOG ADMIN.
Result<bool> ReleaseMetadataLocks(mysql::Connection& connection, std::stop_token stop);

struct ConsistentOptions {
  mysql::Endpoint source;
  std::string pipe_name;
  std::vector<model::TableName> tables;
  size_t connections_max = 1;
  // Also where in the log that moment is, of transactions that change the tables. Absent: not
  // asked.
  std::optional<model::Mechanism> mechanism = {};
  Clock* clock = &Clock::Real();
};

// Read-only transactions, one a connection, that all see the same rows of transactional tables
// until they end.
struct ConsistentConnections {
  std::vector<mysql::Connection> connections;  // connections_max of them, or one
  Consistency consistency = Consistency::kOneConnection;
  // What is seen of the tables is what all transactions contained in it did.
  std::optional<model::Position> position = {};
};

// Opens the connections and tries the ways one after the other. Writers of the source wait for at
// most 2 s a try, and 10 s should this process stop in the middle. kRetry when connections are lost
// or lead to several servers, and when the position cannot be told.
Result<ConsistentConnections> OpenConsistent(const ConsistentOptions& options,
                                             std::stop_token stop);

// The partitions of the tables by name, as text. Dropping one removes rows from under a transaction
// that is reading, and the servers do not say so: compare before and after.
Result<std::string> TablePartitions(mysql::Connection& connection,
                                    const std::vector<model::TableName>& tables,
                                    std::stop_token stop);

}  // namespace penstock::snapshot
