#include "mysql/wire/start_position.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/hex.h"
#include "mysql/wire/errors.h"

namespace penstock::mysql {
namespace {

using model::Mechanism;
using model::Position;

// How long the global read lock of the by-file fallback may wait, and so hold up writers behind it;
// and how long it may outlive a client that the server no longer hears of.
constexpr int kGlobalLockWaitSeconds = 2;
constexpr int kGlobalLockIdleSeconds = 10;

constexpr std::string_view kGrantForFiles =
    "Grant BACKUP_ADMIN ON *.* and SELECT ON performance_schema.log_status to the user "
    "(before MySQL 8.0: RELOAD ON *.*), or use GTIDs";

Failure NeedsUser(std::string message, std::string remedy) {
  return Fail(Error{.code = ErrorCode::kNeedsUser,
                    .message = std::move(message),
                    .origin = "source",
                    .remedy = std::move(remedy)});
}

Failure LogIsOff() {
  return NeedsUser("the source's binary log is off", "Start the source with log_bin");
}

Result<std::string> QueryCell(Connection& connection, std::string_view sql,
                              const std::stop_token& stop) {
  PENSTOCK_ASSIGN(auto rows, connection.Query(sql, stop));
  if (rows.empty() || rows[0].empty()) return std::string();
  return rows[0][0].value_or("");
}

Result<uint64_t> ParseNumber(const std::string& text) {
  uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    return Fail(ErrorCode::kBadData, "the source answers '{}' in place of a number", text);
  }
  return number;
}

Result<LogPosition> ParseLogPosition(const std::optional<std::string>& file,
                                     const std::optional<std::string>& offset) {
  if (!file || file->empty() || !offset) return LogIsOff();
  PENSTOCK_ASSIGN(const uint64_t number, ParseNumber(*offset));
  return LogPosition{.file = *file, .offset = number};
}

// The end of the log together with what is committed, without a lock held on; MySQL 8 and later,
// with BACKUP_ADMIN and SELECT on that table.
Result<LogPosition> ReadLogStatus(Connection& connection, const std::stop_token& stop) {
  PENSTOCK_ASSIGN(const auto rows,
                  connection.Query("SELECT JSON_UNQUOTE(JSON_EXTRACT(local, '$.binary_log_file')), "
                                   "JSON_EXTRACT(local, '$.binary_log_position') "
                                   "FROM performance_schema.log_status",
                                   stop));
  if (rows.size() != 1 || rows[0].size() != 2) return LogIsOff();
  return ParseLogPosition(rows[0][0], rows[0][1]);
}

Failure LockRefused(const Error& refused) {
  Error error = refused.In("global read lock for the start position");
  if (error.native_code == kErrSpecificAccessDenied) error.remedy = kGrantForFiles;
  return Fail(std::move(error));
}

Result<LogPosition> LockAndRead(Connection& connection, const std::stop_token& stop) {
  if (const Status locked = connection.Execute("FLUSH TABLES WITH READ LOCK", stop); !locked) {
    return LockRefused(locked.error());
  }
  Result<LogPosition> position = CurrentLogPosition(connection, stop);
  PENSTOCK_TRY(connection.Execute("UNLOCK TABLES", stop));
  return position;
}

// For MySQL before 8.0, and where log_status may not be read: the lock waits for commits under way,
// so that the log's end is not ahead of what a SELECT sees.
Result<LogPosition> ReadUnderGlobalLock(Connection& connection, const std::stop_token& stop) {
  PENSTOCK_TRY(
      connection.Execute("SET @penstock_lock_wait=@@SESSION.lock_wait_timeout, "
                         "@penstock_idle=@@SESSION.wait_timeout",
                         stop));
  PENSTOCK_TRY(connection.Execute(fmt::format("SET SESSION lock_wait_timeout={}, wait_timeout={}",
                                              kGlobalLockWaitSeconds, kGlobalLockIdleSeconds),
                                  stop));
  Result<LogPosition> position = LockAndRead(connection, stop);
  PENSTOCK_TRY(
      connection.Execute("SET SESSION lock_wait_timeout=@penstock_lock_wait, "
                         "wait_timeout=@penstock_idle",
                         stop));
  return position;
}

bool Passes(const Error& error) {
  return error.code == ErrorCode::kCancelled || error.code == ErrorCode::kRetry;
}

Position FilePosition(LogPosition log) {
  Position position;
  position.mechanism = Mechanism::kFile;
  position.file = std::move(log.file);
  position.offset = log.offset;
  return position;
}

Result<Position> ReadMysqlByFile(Connection& connection, const std::stop_token& stop) {
  Result<LogPosition> log = ReadLogStatus(connection, stop);
  if (!log && !Passes(log.error())) log = ReadUnderGlobalLock(connection, stop);
  return std::move(log).map(FilePosition);
}

// The log's end counts transactions that still wait for a semi-sync acknowledgement, and that no
// SELECT sees; gtid_executed does not. File and offset are for people only.
Result<Position> ReadMysqlGtid(Connection& connection, const std::stop_token& stop) {
  Position position;
  position.mechanism = Mechanism::kMysqlGtid;
  PENSTOCK_ASSIGN(const std::string executed,
                  QueryCell(connection, "SELECT @@global.gtid_executed", stop));
  PENSTOCK_ASSIGN(position.mysql, model::MysqlGtidSet::Parse(executed));
  if (const Result<LogPosition> log = ReadLogStatus(connection, stop)) {
    position.file = log->file;
    position.offset = log->offset;
  }
  return position;
}

// MariaDB keeps, for a transaction with a consistent snapshot, the place in the log that the
// snapshot stands at: later than that is invisible in it, earlier is visible.
Result<Position> ReadMariadbSnapshot(Connection& connection, Mechanism mechanism,
                                     const std::stop_token& stop) {
  PENSTOCK_ASSIGN(const auto rows,
                  connection.Query("SHOW STATUS WHERE Variable_name IN ('binlog_snapshot_file', "
                                   "'binlog_snapshot_position')",
                                   stop));
  std::optional<std::string> file;
  std::optional<std::string> offset;
  for (const TextRow& row : rows) {
    if (row.size() != 2 || !row[0]) continue;
    const bool is_file = row[0]->size() == std::string_view("binlog_snapshot_file").size();
    (is_file ? file : offset) = row[1];
  }
  PENSTOCK_ASSIGN(const LogPosition log, ParseLogPosition(file, offset));
  Position position;
  position.mechanism = mechanism;
  position.file = log.file;
  position.offset = log.offset;
  if (mechanism == Mechanism::kFile) return position;
  PENSTOCK_ASSIGN(const std::string gtids, QueryCell(connection,
                                                     fmt::format("SELECT BINLOG_GTID_POS({}, {})",
                                                                 QuoteString(log.file), log.offset),
                                                     stop));
  PENSTOCK_ASSIGN(position.mariadb, model::MariadbGtidPosition::Parse(gtids));
  return position;
}

Result<Position> ReadMariadb(Connection& connection, Mechanism mechanism,
                             const std::stop_token& stop) {
  PENSTOCK_TRY(connection.Execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", stop));
  PENSTOCK_TRY(connection.Execute("START TRANSACTION WITH CONSISTENT SNAPSHOT", stop));
  Result<Position> position = ReadMariadbSnapshot(connection, mechanism, stop);
  PENSTOCK_TRY(connection.Execute("ROLLBACK", stop));
  return position;
}

// Its columns: file, offset, Binlog_Do_DB, Binlog_Ignore_DB.
std::string_view LogStatusStatement(const ServerInfo& server) {
  const bool renamed = server.flavour == Flavour::kMysql && server.number >= 80'200;
  return renamed ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS";
}

char LowerAscii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// "a,b"
std::vector<std::string> SplitNames(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const size_t end = std::min(list.find(','), list.size());
    if (end > 0) names.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return names;
}

struct LogFile {
  std::string_view base;
  uint64_t number = 0;
};

// "binlog.000012": base name and number.
std::optional<LogFile> SplitLogFile(std::string_view file) {
  const size_t point = file.rfind('.');
  if (point == std::string_view::npos) return std::nullopt;
  LogFile split{.base = file.substr(0, point)};
  const std::string_view digits = file.substr(point + 1);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), split.number);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) return std::nullopt;
  return split;
}

}  // namespace

bool LogReached(const LogPosition& current, const LogPosition& wanted) {
  const std::optional<LogFile> at = SplitLogFile(current.file);
  const std::optional<LogFile> to = SplitLogFile(wanted.file);
  if (!at || !to || at->base != to->base) return false;
  return at->number > to->number || (at->number == to->number && current.offset >= wanted.offset);
}

bool Reaches(const Position& current, const Position& wanted) {
  switch (wanted.mechanism) {
    case Mechanism::kMysqlGtid:
      return current.mysql.Contains(wanted.mysql);
    case Mechanism::kMariadbGtid:
      return current.mariadb.Covers(wanted.mariadb);
    case Mechanism::kFile:
      break;
  }
  return LogReached({current.file, current.offset}, {wanted.file, wanted.offset});
}

void Join(Position& position, const Position& other) {
  position.mysql.Add(other.mysql);
  position.mariadb.Merge(other.mariadb);
  const bool is_later = other.server == position.server &&
                        LogReached({other.file, other.offset}, {position.file, position.offset});
  if (!is_later) return;
  position.file = other.file;
  position.offset = other.offset;
  position.file_mark = other.file_mark;
}

Result<Mechanism> ChooseMechanism(Connection& connection, std::string_view wanted,
                                  std::stop_token stop) {
  if (!wanted.empty() && wanted != "GTID" && wanted != "FILE_POS") {
    return Fail(ErrorCode::kInvalidArgument, "replicationMechanism '{}': must be GTID or FILE_POS",
                wanted);
  }
  if (wanted == "FILE_POS") return Mechanism::kFile;
  if (connection.server().flavour == Flavour::kMariadb) return Mechanism::kMariadbGtid;
  PENSTOCK_ASSIGN(const std::string mode, QueryCell(connection, "SELECT @@global.gtid_mode", stop));
  // With the permissive modes some transactions have no GTID.
  if (mode == "ON") return Mechanism::kMysqlGtid;
  if (wanted.empty()) return Mechanism::kFile;
  return NeedsUser(
      fmt::format("replicationMechanism is GTID, but the source's gtid_mode is {}", mode),
      "Set gtid_mode=ON (and enforce_gtid_consistency=ON) on the source, or leave "
      "replicationMechanism out");
}

Result<Position> ReadStartPosition(Connection& connection, Mechanism mechanism,
                                   std::stop_token stop) {
  if (connection.server().flavour == Flavour::kMariadb) {
    if (mechanism != Mechanism::kMysqlGtid) return ReadMariadb(connection, mechanism, stop);
  } else if (mechanism == Mechanism::kMysqlGtid) {
    return ReadMysqlGtid(connection, stop);
  } else if (mechanism == Mechanism::kFile) {
    return ReadMysqlByFile(connection, stop);
  }
  return Fail(ErrorCode::kInvalidArgument, "the source, version {}, has no {} positions",
              connection.server().version, model::MechanismName(mechanism));
}

Result<std::optional<Position>> PeekStartPosition(Connection& connection, Mechanism mechanism,
                                                  std::stop_token stop) {
  if (connection.server().flavour == Flavour::kMariadb || mechanism != Mechanism::kFile) {
    return ReadStartPosition(connection, mechanism, stop);
  }
  Result<LogPosition> log = ReadLogStatus(connection, stop);
  if (log) return FilePosition(*std::move(log));
  if (Passes(log.error())) return Fail(std::move(log).error());
  PENSTOCK_TRY(CheckMayLock(connection, stop));
  return std::nullopt;
}

Result<Position> ReadSnapshotPosition(Connection& connection, Mechanism mechanism,
                                      std::stop_token stop) {
  return ReadMariadbSnapshot(connection, mechanism, stop);
}

// FLUSH TABLES needs the same privilege as the lock, and does nothing to a table that is not there.
Status CheckMayLock(Connection& connection, const std::stop_token& stop) {
  const Status flushed = connection.Execute(
      "FLUSH NO_WRITE_TO_BINLOG TABLES `performance_schema`.`penstock_no_table`", stop);
  if (flushed) return {};
  return LockRefused(flushed.error());
}

bool LogFilter::Hides(std::string_view database, bool ignore_case) const {
  const auto is_it = [&](const std::string& name) {
    return name == database ||
           (ignore_case && std::ranges::equal(name, database, {}, LowerAscii, LowerAscii));
  };
  if (!only.empty()) return std::ranges::none_of(only, is_it);
  return std::ranges::any_of(never, is_it);
}

Result<LogFilter> ReadLogFilter(Connection& connection, std::stop_token stop) {
  PENSTOCK_ASSIGN(const auto rows,
                  connection.Query(LogStatusStatement(connection.server()), std::move(stop)));
  LogFilter filter;
  if (rows.empty() || rows[0].size() < 4) return filter;
  filter.only = SplitNames(rows[0][2].value_or(""));
  filter.never = SplitNames(rows[0][3].value_or(""));
  return filter;
}

Result<LogPosition> CurrentLogPosition(Connection& connection, std::stop_token stop) {
  PENSTOCK_ASSIGN(const auto rows, connection.Query(LogStatusStatement(connection.server()), stop));
  if (rows.empty() || rows[0].size() < 2) return LogIsOff();
  return ParseLogPosition(rows[0][0], rows[0][1]);
}

Result<bool> HasExecuted(Connection& connection, const Position& position, std::stop_token stop) {
  switch (position.mechanism) {
    case Mechanism::kMysqlGtid: {
      PENSTOCK_ASSIGN(const std::string text,
                      QueryCell(connection, "SELECT @@global.gtid_executed", stop));
      PENSTOCK_ASSIGN(const auto executed, model::MysqlGtidSet::Parse(text));
      return executed.Contains(position.mysql);
    }
    case Mechanism::kMariadbGtid: {
      // What was replicated, also where a replica does not log it; and what is in the log, of
      // whatever server id: a server may have had another one.
      PENSTOCK_ASSIGN(const std::string current,
                      QueryCell(connection, "SELECT @@global.gtid_current_pos", stop));
      PENSTOCK_ASSIGN(const std::string logged,
                      QueryCell(connection, "SELECT @@global.gtid_binlog_pos", stop));
      PENSTOCK_ASSIGN(auto executed, model::MariadbGtidPosition::Parse(current));
      PENSTOCK_ASSIGN(const auto in_log, model::MariadbGtidPosition::Parse(logged));
      executed.Merge(in_log);
      return executed.Covers(position.mariadb);
    }
    case Mechanism::kFile:
      break;
  }
  PENSTOCK_ASSIGN(const LogPosition current, CurrentLogPosition(connection, stop));
  return LogReached(current, {.file = position.file, .offset = position.offset});
}

Result<bool> IsVisible(Connection& connection, const Position& position, std::stop_token stop) {
  if (position.mechanism == Mechanism::kMysqlGtid) return HasExecuted(connection, position, stop);
  const bool by_file = position.mechanism == Mechanism::kFile;
  if (connection.server().flavour == Flavour::kMariadb) {
    PENSTOCK_ASSIGN(const Position seen, ReadMariadb(connection, position.mechanism, stop));
    if (!by_file) return seen.mariadb.Covers(position.mariadb);
    return LogReached({seen.file, seen.offset}, {position.file, position.offset});
  }
  Result<LogPosition> seen = ReadLogStatus(connection, stop);
  if (seen) return LogReached(*seen, {position.file, position.offset});
  if (Passes(seen.error())) return Fail(std::move(seen).error());
  Error error = seen.error().In("what a SELECT sees of the log");
  error.code = ErrorCode::kNeedsUser;
  error.remedy = kGrantForFiles;
  return Fail(std::move(error));
}

// Format, lengths of the two parts, both parts.
Result<std::vector<PreparedXa>> PreparedXaTransactions(Connection& connection,
                                                       std::stop_token stop) {
  PENSTOCK_ASSIGN(const auto rows, connection.Query("XA RECOVER", stop));
  std::vector<PreparedXa> prepared;
  for (const TextRow& row : rows) {
    if (row.size() < 4)
      return Fail(ErrorCode::kBadData, "XA RECOVER answers {} columns", row.size());
    std::string id = row[3].value_or("");
    PENSTOCK_ASSIGN(const uint64_t first, ParseNumber(row[1].value_or("")));
    if (first > id.size()) return Fail(ErrorCode::kBadData, "XA RECOVER answers an id cut short");
    std::string xid = fmt::format("X'{}',X'{}',{}", Hex(id.substr(0, first)), Hex(id.substr(first)),
                                  row[0].value_or(""));
    const bool printable = std::ranges::all_of(id, [](char c) { return c >= ' ' && c <= '~'; });
    prepared.push_back({.id = printable ? std::move(id) : "0x" + Hex(id), .xid = std::move(xid)});
  }
  return prepared;
}

}  // namespace penstock::mysql
