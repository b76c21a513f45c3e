#include "mysql/wire/log_files.h"

#include <algorithm>
#include <charconv>

#include "mysql/wire/common_history.h"
#include "mysql/wire/start_position.h"

namespace penstock::mysql {
namespace {

Result<std::string> Variable(Connection& connection, std::string_view name, std::stop_token stop) {
  PENSTOCK_ASSIGN(
      const auto rows,
      connection.Query(fmt::format("SHOW GLOBAL VARIABLES LIKE '{}'", name), std::move(stop)));
  return rows.empty() || rows[0].size() != 2 ? std::string() : rows[0][1].value_or("");
}

template <typename T>
T NumberOf(std::string_view text) {
  T number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

constexpr std::string_view kPurged =
    "Resync the pipe (penstock resync), and have the source keep its log for longer "
    "(binlog_expire_logs_seconds)";

Failure NotInLog(std::string message, std::string_view remedy) {
  return Fail(Error{.code = ErrorCode::kNeedsUser,
                    .message = std::move(message),
                    .origin = "source",
                    .native_code = 0,
                    .remedy = std::string(remedy)});
}

auto Find(const std::vector<LogFile>& files, const std::string& name) {
  return std::ranges::find(files, name, &LogFile::name);
}

}  // namespace

Result<std::string> ServerName(Connection& connection, std::stop_token stop) {
  const bool mysql = connection.server().flavour == Flavour::kMysql;
  return Variable(connection, mysql ? "server_uuid" : "server_id", std::move(stop));
}

Result<std::string> GtidMode(Connection& connection, std::stop_token stop) {
  return Variable(connection, "gtid_mode", std::move(stop));
}

Status CheckLogIsOn(Connection& connection, std::stop_token stop) {
  PENSTOCK_ASSIGN(const std::string on, Variable(connection, "log_bin", std::move(stop)));
  if (on != "OFF") return {};
  return NotInLog("the source's binary log is off",
                  "Put log_bin and server_id under [mysqld] in its configuration, restart it, and "
                  "start the pipe; if something was written while the log was off, resync the pipe "
                  "(penstock resync)");
}

Status CheckNotPurged(Connection& connection, const model::Position& position,
                      std::stop_token stop) {
  PENSTOCK_ASSIGN(std::string text, Variable(connection, "gtid_purged", std::move(stop)));
  std::erase(text, '\n');
  PENSTOCK_ASSIGN(const auto purged, model::MysqlGtidSet::Parse(text));
  const auto missing = purged.Without(position.mysql);
  if (missing == model::MysqlGtidSet()) return {};
  return NotInLog(
      fmt::format("the source has purged transactions that were not read: {}", missing.ToString()),
      kPurged);
}

Result<std::string> LoggedGtids(Connection& connection, std::stop_token stop) {
  const bool mysql = connection.server().flavour == Flavour::kMysql;
  PENSTOCK_ASSIGN(
      std::string gtids,
      Variable(connection, mysql ? "gtid_executed" : "gtid_binlog_pos", std::move(stop)));
  std::erase(gtids, '\n');
  return gtids;
}

Result<std::vector<LogFile>> LogFiles(Connection& connection, std::stop_token stop) {
  PENSTOCK_ASSIGN(const auto rows, connection.Query("SHOW BINARY LOGS", std::move(stop)));
  std::vector<LogFile> files;
  for (const TextRow& row : rows) {
    if (row.size() < 2) continue;
    files.push_back(
        {.name = row[0].value_or(""), .bytes = NumberOf<uint64_t>(row[1].value_or(""))});
  }
  return files;
}

Status CheckInLog(const std::vector<LogFile>& files, const model::Position& position) {
  constexpr std::string_view kForeign =
      "Point the pipe at the server it was reading, or resync the pipe (penstock resync); with "
      "GTIDs a pipe goes on after a failover";
  const auto file = Find(files, position.file);
  if (file != files.end()) {
    if (position.offset <= file->bytes) return {};
    return NotInLog(
        fmt::format("the position {} is beyond the end of that file, {}: the source lost the end "
                    "of its log in a crash, its log was reset, or it is another server",
                    position.ToString(), file->bytes),
        kForeign);
  }
  const bool purged =
      !files.empty() && LogReached({.file = files.front().name, .offset = 0},
                                   {.file = position.file, .offset = position.offset});
  if (purged) {
    return NotInLog(fmt::format("the source has purged {}, which was not read to its end; its log "
                                "begins with {}",
                                position.file, files.front().name),
                    kPurged);
  }
  return NotInLog(
      fmt::format("the source's log has no {}; it ends with {}: its log was reset, or it is "
                  "another server",
                  position.file, files.empty() ? "no file" : files.back().name),
      kForeign);
}

Result<bool> HasPurged(Connection& connection, const model::Position& position,
                       std::stop_token stop) {
  if (position.mechanism != model::Mechanism::kFile) {
    // One that was made anew may have the old one's name.
    PENSTOCK_ASSIGN(const auto lacking, CommonHistory(connection, position, stop));
    if (lacking) return false;
  }
  if (position.mechanism == model::Mechanism::kMysqlGtid && !position.mysql.empty()) {
    const Status has_all = CheckNotPurged(connection, position, std::move(stop));
    return !has_all && has_all.error().code == ErrorCode::kNeedsUser;
  }
  PENSTOCK_ASSIGN(const std::string server, ServerName(connection, stop));
  if (server != position.server || position.file.empty()) return false;
  PENSTOCK_ASSIGN(const auto files, LogFiles(connection, std::move(stop)));
  return !files.empty() && LogReached({.file = files.front().name, .offset = 0},
                                      {.file = position.file, .offset = position.offset});
}

std::optional<uint64_t> BytesAfter(const std::vector<LogFile>& files,
                                   const model::Position& position) {
  auto file = Find(files, position.file);
  if (file == files.end()) return std::nullopt;
  uint64_t bytes = file->bytes - std::min(file->bytes, position.offset);
  while (++file != files.end()) bytes += file->bytes;
  return bytes;
}

// MySQL has the days of old servers beside the seconds, and only one of them is not 0; so has
// MariaDB, whose days have a fraction.
Result<std::optional<std::chrono::seconds>> LogRetention(Connection& connection,
                                                         std::stop_token stop) {
  constexpr double kSecondsPerDay = 86'400;
  PENSTOCK_ASSIGN(const std::string automatic,
                  Variable(connection, "binlog_expire_logs_auto_purge", stop));
  if (automatic == "OFF") return std::nullopt;
  PENSTOCK_ASSIGN(const std::string seconds,
                  Variable(connection, "binlog_expire_logs_seconds", stop));
  PENSTOCK_ASSIGN(const std::string days, Variable(connection, "expire_logs_days", stop));
  auto kept = std::chrono::seconds(NumberOf<int64_t>(seconds));
  if (kept.count() == 0) {
    kept = std::chrono::seconds(static_cast<int64_t>(NumberOf<double>(days) * kSecondsPerDay));
  }
  if (kept.count() <= 0) return std::nullopt;
  return kept;
}

}  // namespace penstock::mysql
