#include "mysql/wire/binlog_dump.h"

#include <limits>
#include <string>

#include "mysql/wire/errors.h"

namespace penstock::mysql {
namespace {

using model::Mechanism;

// Protocol documentation: "Replication" of the client/server protocol,
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication.html
constexpr uint8_t kComBinlogDump = 0x12;
constexpr uint8_t kComRegisterSlave = 0x15;
constexpr uint8_t kComBinlogDumpGtid = 0x1e;
constexpr uint16_t kThroughGtid = 4;
constexpr uint64_t kFirstEvent = 4;  // a log file begins with four magic bytes

template <typename T>
void AppendLittle(std::string& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

// MySQL ends an older dump of the same replica by its UUID, MariaDB by its server id. A UUID made
// of the server id makes them agree: a reconnect takes the place of its own lost session at once.
std::string ReplicaUuid(uint32_t server_id) {
  return fmt::format("70656e73-746f-636b-0000-0000{:08x}", server_id);
}

// Both spellings of a setting, since servers renamed "master" and "slave" one by one.
std::string SessionVariables(const DumpOptions& options, Flavour flavour) {
  const int64_t heartbeat_nanos =
      std::chrono::duration_cast<std::chrono::nanoseconds>(options.heartbeat).count();
  std::string sql = fmt::format(
      "SET @master_binlog_checksum=@@global.binlog_checksum, "
      "@source_binlog_checksum=@@global.binlog_checksum, "
      "@master_heartbeat_period={0}, @source_heartbeat_period={0}",
      heartbeat_nanos);
  if (flavour == Flavour::kMysql) {
    sql += fmt::format(", @slave_uuid='{0}', @replica_uuid='{0}'", ReplicaUuid(options.server_id));
    return sql;
  }
  // Capability 4: GTID events, and no event of ours replaced by an older form.
  sql += ", @mariadb_slave_capability=4";
  if (options.start.mechanism == Mechanism::kMariadbGtid) {
    sql += fmt::format(
        ", @slave_connect_state={}, @slave_gtid_strict_mode=0, @slave_gtid_ignore_duplicates=0",
        QuoteString(options.start.mariadb.ToString()));
  }
  return sql;
}

std::string RegisterPayload(uint32_t server_id) {
  std::string payload;
  AppendLittle(payload, server_id);
  payload += '\x08';
  payload += "penstock";               // host name, for SHOW REPLICAS
  payload += '\0';                     // user
  payload += '\0';                     // password
  AppendLittle(payload, uint16_t{0});  // port
  AppendLittle(payload, uint32_t{0});  // recovery rank, unused
  AppendLittle(payload, uint32_t{0});  // the source's id, filled in by the server
  return payload;
}

std::string FileDumpPayload(uint32_t server_id, std::string_view file, uint32_t offset) {
  std::string payload;
  AppendLittle(payload, offset);
  AppendLittle(payload, uint16_t{0});
  AppendLittle(payload, server_id);
  payload += file;
  return payload;
}

std::string GtidDumpPayload(uint32_t server_id, const model::MysqlGtidSet& executed) {
  const std::string set = executed.Encode();
  std::string payload;
  AppendLittle(payload, kThroughGtid);
  AppendLittle(payload, server_id);
  AppendLittle(payload, uint32_t{0});  // no file name: the server finds the file
  AppendLittle(payload, kFirstEvent);
  AppendLittle(payload, static_cast<uint32_t>(set.size()));
  return payload + set;
}

Status CheckStart(const model::Position& start, Flavour flavour) {
  const bool fits = start.mechanism == Mechanism::kFile ||
                    (start.mechanism == Mechanism::kMysqlGtid) == (flavour == Flavour::kMysql);
  if (!fits) {
    return Fail(ErrorCode::kNeedsUser,
                "the position ({}) is of the other server family: the source has been replaced. "
                "Resync the pipe",
                start.Serialize());
  }
  if (start.mechanism == Mechanism::kFile && start.offset > std::numeric_limits<uint32_t>::max()) {
    Error error{.code = ErrorCode::kNeedsUser,
                .message = fmt::format("the log cannot be read by file from {}: the replication "
                                       "protocol has no file positions beyond 4 GiB",
                                       start.ToString()),
                .origin = "source",
                .remedy =
                    "Use replicationMechanism GTID, or set max_binlog_size below 4 GiB, run "
                    "FLUSH BINARY LOGS and resync the pipe"};
    return Fail(std::move(error));
  }
  return {};
}

}  // namespace

// Servers refuse it with the errno of a wrong password.
Status RegisterAsReplica(Connection& connection, uint32_t server_id, std::stop_token stop) {
  Status registered =
      connection.SendCommand(kComRegisterSlave, RegisterPayload(server_id), true, stop);
  if (registered || registered.error().native_code != kErrAccessDenied) return registered;
  Error error = std::move(registered).error().In("registering as a replica");
  error.remedy = kGrantReplicationRemedy;
  return Fail(std::move(error));
}

Result<bool> StartDump(Connection& connection, const DumpOptions& options, std::stop_token stop) {
  const Flavour flavour = connection.server().flavour;
  const model::Position& start = options.start;
  PENSTOCK_TRY(CheckStart(start, flavour));
  PENSTOCK_TRY(connection.Execute(SessionVariables(options, flavour), stop));
  PENSTOCK_ASSIGN(const auto rows, connection.Query("SELECT @master_binlog_checksum", stop));
  const bool checksum = !rows.empty() && rows[0][0] && *rows[0][0] != "NONE";

  PENSTOCK_TRY(RegisterAsReplica(connection, options.server_id, stop));
  if (start.mechanism == Mechanism::kMysqlGtid) {
    PENSTOCK_TRY(connection.SendCommand(
        kComBinlogDumpGtid, GtidDumpPayload(options.server_id, start.mysql), false, stop));
    return checksum;
  }
  // With @slave_connect_state MariaDB ignores file and offset.
  const bool by_file = start.mechanism == Mechanism::kFile;
  const auto offset = static_cast<uint32_t>(by_file ? start.offset : kFirstEvent);
  const std::string_view file = by_file ? std::string_view(start.file) : std::string_view();
  PENSTOCK_TRY(connection.SendCommand(
      kComBinlogDump, FileDumpPayload(options.server_id, file, offset), false, stop));
  return checksum;
}

}  // namespace penstock::mysql
