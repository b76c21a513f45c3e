#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace penstock::mysql {

class CutSessions;

enum class Flavour : uint8_t { kMysql, kMariadb };

// Where a source is and how to speak to it. Holds the password: never log it whole.
struct Endpoint {
  std::string
      host;  // name, IPv4, IPv6 (with or without brackets), or an absolute path: unix socket
  uint16_t port = 3306;
  std::string user;
  std::string password;
  bool disable_tls = false;             // default: TLS or nothing, never a fall back to plaintext
  bool skip_cert_verification = false;  // encrypted, but whoever answers is believed
  std::string ca_certificate;           // PEM; empty: the system's own
  std::string tls_host;                 // the name the certificate must carry; empty: `host`
  bool use_compression = false;
  std::chrono::seconds connect_timeout{10};
  // A read or write with no byte moved for this long has failed. (A server that is gone is noticed
  // within about a minute, however long this is.)
  std::chrono::seconds io_timeout{60};
  std::shared_ptr<CutSessions> cut_sessions = nullptr;  // where connections tell of such; or null
};

struct ServerInfo {
  Flavour flavour = Flavour::kMysql;
  std::string version;  // as the server says it
  uint32_t number = 0;  // 9.7.4 is 90704, 10.11.6 is 101106
};

// Cells of a small query, NULL as nullopt.
using TextRow = std::vector<std::optional<std::string>>;

struct NamedRows {
  std::vector<std::string> columns;  // their names
  std::vector<TextRow> rows;
};

// One connection over libmariadb. One thread at a time; a stop requested while a call waits shuts
// the socket down and the call answers kCancelled (the connection is then of no further use).
// Errors carry MySQL's errno with origin "source", classified in mysql/wire/errors.h: lost or
// refused connections, lock timeouts, deadlocks and shutdowns are kRetry; wrong password, missing
// privilege, unknown database are kNeedsUser.
class Connection {
 public:
  // Connects, and makes values exact: time_zone +00:00, character_set_results NULL (raw bytes),
  // statements in utf8mb4, a fixed sql_mode, long wait and net timeouts. `purpose` shows up as
  // the program name in the server's connection attributes ("penstock shop snapshot").
  static Result<Connection> Open(const Endpoint& endpoint, std::string_view purpose,
                                 std::stop_token stop);
  ~Connection();
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;

  const ServerInfo& server() const;

  // How long ago the last byte came, whether read here or not; nullopt where the system does not
  // tell (a unix socket). From any thread.
  std::optional<std::chrono::milliseconds> Silence() const;

  // Lets the server end later SELECTs that take longer (errno 3024 or 1969), so that one which the
  // client gives up does not run on; servers of before this can be asked know no limit.
  Status LimitStatements(std::chrono::seconds limit, std::stop_token stop);

  // Statements without rows, and small results whole (text protocol). Text cells arrive as the
  // raw bytes of their column; information_schema and SHOW speak utf8.
  Status Execute(std::string_view sql, std::stop_token stop);
  Result<std::vector<TextRow>> Query(std::string_view sql, std::stop_token stop);
  // Of a statement whose columns differ between servers.
  Result<NamedRows> QueryNamed(std::string_view sql, std::stop_token stop);

  // Runs a SELECT by the binary protocol (exact floats, less work for the server) and leaves its
  // rows unread. Until NextRow has answered nullopt or an error, no other call is allowed.
  Status StartSelect(std::string_view sql, std::stop_token stop);
  // The next raw row packet of "Binary Protocol Resultset Row" without its 0x00 header byte, for
  // BinaryRowDecoder; nullopt at the end. The view lives until the next call.
  Result<std::optional<std::string_view>> NextRow(const std::stop_token& stop);
  // Likewise, as many of the rows as have arrived and find room in `rows`, which has room for one
  // at least; how many, none at the end.
  Result<size_t> NextRows(std::span<std::string_view> rows, const std::stop_token& stop);
  // Whether rows of a SELECT are left unread.
  bool is_reading() const;

  // Sends a raw command (COM_REGISTER_SLAVE, COM_BINLOG_DUMP, ...) and, if `expect_ok`, reads
  // its OK.
  Status SendCommand(uint8_t command, std::string_view payload, bool expect_ok,
                     std::stop_token stop);
  // The next packet of a dump: the event with its header, without the leading OK byte; nullopt at
  // EOF (a non-blocking dump at its end). An error packet is an error. The view lives until the
  // next call. Nothing for longer than `io_timeout` is kRetry: keep heartbeats below it.
  Result<std::optional<std::string_view>> NextPacket(std::stop_token stop);

 private:
  class Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// 'text' as a string literal and `name` as an identifier, safe under the sql_mode set by Open.
std::string QuoteString(std::string_view text);
std::string QuoteIdentifier(std::string_view name);

}  // namespace penstock::mysql
