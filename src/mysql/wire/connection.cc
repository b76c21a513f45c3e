#include "mysql/wire/connection.h"

#include <mysql.h>
// After it, whose types it uses.
#include <ma_pvio.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "base/byte_reader.h"
#include "base/check.h"
#include "mysql/wire/connect.h"
#include "mysql/wire/cut_sessions.h"
#include "mysql/wire/errors.h"
#include "mysql/wire/packet_reader.h"
#include "mysql/wire/socket_breaker.h"

namespace penstock::mysql {
namespace {

constexpr uint8_t kPacketOk = 0x00;
constexpr uint8_t kPacketEof = 0xfe;
constexpr uint8_t kPacketError = 0xff;
constexpr size_t kSqlStateBytes = 6;  // with the '#' before it

struct SessionStatement {
  Flavour flavour;
  uint32_t from_version;
  std::string_view sql;
};

// What makes values exact and reads undisturbed, whatever the server's own defaults are. The modes
// and limits of the whole server are set back: ANSI_QUOTES and the like change what our statements
// mean, PAD_CHAR_TO_FULL_LENGTH changes values, statement time limits would cut a partition short.
// A lock (behind an ALTER TABLE, say) is waited for shorter than the client waits for an answer:
// else statements given up here would stay in the server's queue.
constexpr std::string_view kEverySession =
    "SET SESSION sql_mode='', time_zone='+00:00', character_set_results=NULL, autocommit=1, "
    "sql_big_selects=1, sql_select_limit=18446744073709551615, wait_timeout=86400, "
    "net_read_timeout=3600, net_write_timeout=86400, lock_wait_timeout=50";
constexpr SessionStatement kFlavouredSession[] = {
    {Flavour::kMysql, 50'708, "SET SESSION max_execution_time=0"},
    {Flavour::kMariadb, 100'101, "SET SESSION max_statement_time=0"},
    {Flavour::kMariadb, 100'300,
     "SET SESSION idle_transaction_timeout=0, idle_readonly_transaction_timeout=0"},
    // Else a generated invisible primary key is in the log, but not in information_schema.
    {Flavour::kMysql, 80'030, "SET SESSION show_gipk_in_create_table_and_information_schema=ON"},
};

// "10.11.6-MariaDB-1" is 101106.
uint32_t VersionNumber(std::string_view version) {
  uint32_t number = 0;
  const char* at = version.data();
  const char* const end = at + version.size();
  for (int part = 0; part < 3; ++part) {
    uint32_t value = 0;
    const auto parsed = std::from_chars(at, end, value);
    number = number * 100 + std::min(value, 99U);
    at = parsed.ptr;
    if (at != end && *at == '.') ++at;
  }
  return number;
}

bool MentionsMariadb(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text.find("mariadb") != std::string::npos;
}

}  // namespace

class Connection::Impl {
 public:
  Impl(MysqlHandle mysql, std::unique_ptr<SocketBreaker> breaker,
       std::shared_ptr<CutSessions> cut_sessions)
      : mysql_(std::move(mysql)),
        breaker_(std::move(breaker)),
        cut_sessions_(std::move(cut_sessions)) {}
  ~Impl() {
    const bool cut = breaker_->broken() || phase_ != Phase::kIdle;
    if (!cut || !cut_sessions_) return;
    cut_sessions_->Add(
        {.session = mysql_thread_id(mysql_.get()), .client_port = breaker_->ClientPort()});
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Status SetUpSession(std::stop_token stop);
  const ServerInfo& server() const { return server_; }
  std::optional<std::chrono::milliseconds> Silence() const { return breaker_->Silence(); }

  Status Execute(std::string_view sql, std::stop_token stop);
  Result<NamedRows> Query(std::string_view sql, std::stop_token stop);
  Status StartSelect(std::string_view sql, std::stop_token stop);
  Result<std::optional<std::string_view>> NextRow(const std::stop_token& stop);
  Result<size_t> NextRows(std::span<std::string_view> rows, const std::stop_token& stop);
  bool is_reading() const { return phase_ == Phase::kRows; }
  Status SendCommand(uint8_t command, std::string_view payload, bool expect_ok,
                     std::stop_token stop);
  Result<std::optional<std::string_view>> NextPacket(std::stop_token stop);

 private:
  enum class Phase { kIdle, kRows, kDump };
  struct Breaking {
    SocketBreaker* breaker;
    void operator()() const { breaker->Break(); }
  };

  // Begins to obey `stop`. A token that is already obeyed costs nothing, so rows and events may
  // name it each time; it is obeyed until the rows end or another token comes.
  void Obey(const std::stop_token& stop);
  void Disobey() { breaking_.reset(); }
  // Why a call failed: the stop, else the error (of the first: what libmariadb holds).
  Failure CallFailed() { return Failed(LastError(mysql_.get())); }
  Failure Failed(Error error);
  Failure Malformed(std::string_view what);

  Status Send(enum_server_command command, std::string_view payload);
  // Begins to read rows or events; the packets end with that phase.
  void Begin(Phase phase);
  void End();
  // One packet as it came; an error packet or a lost connection is an error.
  Result<std::string_view> ReadPacket();
  Result<std::string_view> ReadPacketPastLibrary();
  ssize_t ReadBytes(char* to, size_t room);
  static bool IsEof(std::string_view packet) {
    return packet.size() < 9 && static_cast<uint8_t>(packet.front()) == kPacketEof;
  }
  Status SkipPackets(uint64_t count);
  Status SkipEof();
  Result<uint32_t> Prepare(std::string_view sql);
  Status ExecutePrepared(uint32_t statement);
  void CloseStatement();

  MysqlHandle mysql_;
  std::unique_ptr<SocketBreaker> breaker_;
  const std::shared_ptr<CutSessions> cut_sessions_;
  std::stop_token obeyed_;
  std::optional<std::stop_callback<Breaking>> breaking_;  // after breaker_, which it uses
  ServerInfo server_;
  Phase phase_ = Phase::kIdle;
  std::optional<PacketReader> packets_;  // of a phase whose packets do not pass through libmariadb
  uint32_t statement_ = 0;               // open at the server; 0: none
};

void Connection::Impl::Obey(const std::stop_token& stop) {
  if (breaking_ && obeyed_ == stop) return;
  breaking_.reset();
  obeyed_ = stop;
  breaking_.emplace(stop, Breaking{breaker_.get()});
}

Failure Connection::Impl::Failed(Error error) {
  End();
  const bool stopped = breaking_ && obeyed_.stop_requested();
  Disobey();
  if (stopped) return Fail(ErrorCode::kCancelled, "stopped while talking to the source");
  if (breaker_->broken()) {
    return Fail(SourceError(kErrServerLost, "the connection was ended by an earlier stop"));
  }
  return Fail(std::move(error));
}

Failure Connection::Impl::Malformed(std::string_view what) {
  // Whatever follows on this connection could be misread too.
  breaker_->Break();
  End();
  Disobey();
  Error error{.code = ErrorCode::kBadData, .message = std::string(what), .origin = "source"};
  return Fail(std::move(error));
}

Status Connection::Impl::Execute(std::string_view sql, std::stop_token stop) {
  PENSTOCK_ASSIGN(const NamedRows ignored, Query(sql, std::move(stop)));
  return {};
}

Result<NamedRows> Connection::Impl::Query(std::string_view sql, std::stop_token stop) {
  PENSTOCK_CHECK(phase_ == Phase::kIdle);
  Obey(stop);
  if (mysql_real_query(mysql_.get(), sql.data(), sql.size()) != 0) return CallFailed();
  NamedRows answer;
  MYSQL_RES* result = mysql_store_result(mysql_.get());
  if (result == nullptr) {
    if (mysql_errno(mysql_.get()) != 0) return CallFailed();
    Disobey();
    return answer;
  }
  const unsigned int columns = mysql_num_fields(result);
  for (unsigned int i = 0; i < columns; ++i) {
    answer.columns.emplace_back(mysql_fetch_field_direct(result, i)->name);
  }
  while (MYSQL_ROW cells = mysql_fetch_row(result)) {
    const unsigned long* lengths = mysql_fetch_lengths(result);
    TextRow& row = answer.rows.emplace_back(columns);
    for (unsigned int i = 0; i < columns; ++i) {
      if (cells[i] != nullptr) row[i].emplace(cells[i], lengths[i]);
    }
  }
  mysql_free_result(result);
  Disobey();
  return answer;
}

Status Connection::Impl::Send(enum_server_command command, std::string_view payload) {
  // libmariadb measures an empty argument with strlen.
  const char* bytes = payload.empty() ? "" : payload.data();
  if (mysql_->methods->db_command(mysql_.get(), command, bytes, payload.size(), 1, nullptr) != 0) {
    return CallFailed();
  }
  return {};
}

// libmariadb alone knows how to decrypt and decompress.
void Connection::Impl::Begin(Phase phase) {
  phase_ = phase;
  const NET& net = mysql_->net;
  if (net.pvio->ctls != nullptr || net.compress != 0) return;
  packets_.emplace([this](char* to, size_t room) { return ReadBytes(to, room); },
                   static_cast<uint8_t>(net.pkt_nr), kPacketBytesMax);
}

void Connection::Impl::End() {
  phase_ = Phase::kIdle;
  packets_.reset();
}

// What libmariadb has read ahead comes first.
ssize_t Connection::Impl::ReadBytes(char* to, size_t room) {
  MARIADB_PVIO* const pvio = mysql_->net.pvio;
  auto* const bytes = reinterpret_cast<unsigned char*>(to);
  const unsigned char* const end = pvio->cache + pvio->cache_size;
  if (pvio->cache == nullptr || pvio->cache_pos >= end) {
    return pvio->methods->read(pvio, bytes, room);
  }
  const size_t count = std::min(static_cast<size_t>(end - pvio->cache_pos), room);
  std::memcpy(bytes, pvio->cache_pos, count);
  pvio->cache_pos += count;
  return static_cast<ssize_t>(count);
}

// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_err_packet.html
Result<std::string_view> Connection::Impl::ReadPacketPastLibrary() {
  const auto packet = packets_->Next();
  if (!packet) {
    if (packet.error().code == ErrorCode::kBadData) return Malformed(packet.error().message);
    const Failure failed = Failed(packet.error());
    breaker_->Break();  // what comes late would be taken for the answer to something else
    return failed;
  }
  if (packet->empty()) return Malformed("the source sent an empty packet");
  if (static_cast<uint8_t>(packet->front()) != kPacketError) return *packet;
  ByteReader reader(packet->substr(1));
  const uint16_t number = reader.U16();
  std::string_view message = reader.Rest();
  if (message.starts_with('#')) message.remove_prefix(std::min(kSqlStateBytes, message.size()));
  if (!reader.ok()) return Malformed("the source sent a malformed error");
  return Failed(SourceError(number, message));
}

Result<std::string_view> Connection::Impl::ReadPacket() {
  if (packets_) return ReadPacketPastLibrary();
  const unsigned long length = mysql_net_read_packet(mysql_.get());
  if (length == packet_error || length == 0) return CallFailed();
  return std::string_view(reinterpret_cast<const char*>(mysql_->net.read_pos), length);
}

Status Connection::Impl::SkipPackets(uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) PENSTOCK_TRY(ReadPacket());
  return {};
}

Status Connection::Impl::SkipEof() {
  PENSTOCK_ASSIGN(const std::string_view packet, ReadPacket());
  if (!IsEof(packet)) return Malformed("the source sent no EOF after its column definitions");
  return {};
}

// The statement protocol is spoken here and not through mysql_stmt_*: those decode every cell, and
// refuse result types that libmariadb does not know.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_prepare.html
Result<uint32_t> Connection::Impl::Prepare(std::string_view sql) {
  PENSTOCK_TRY(Send(COM_STMT_PREPARE, sql));
  PENSTOCK_ASSIGN(const std::string_view packet, ReadPacket());
  ByteReader reader(packet);
  const uint8_t header = reader.U8();
  const uint32_t statement = reader.U32();
  const uint16_t columns = reader.U16();
  const uint16_t parameters = reader.U16();
  if (!reader.ok() || header != kPacketOk) {
    return Malformed("the source's answer to a prepare is malformed");
  }
  if (parameters != 0) {
    PENSTOCK_TRY(SkipPackets(parameters));
    PENSTOCK_TRY(SkipEof());
  }
  if (columns != 0) {
    PENSTOCK_TRY(SkipPackets(columns));
    PENSTOCK_TRY(SkipEof());
  }
  return statement;
}

// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html
Status Connection::Impl::ExecutePrepared(uint32_t statement) {
  char payload[9] = {};
  std::memcpy(payload, &statement, 4);
  payload[4] = 0;  // no cursor
  payload[5] = 1;  // iterations
  PENSTOCK_TRY(Send(COM_STMT_EXECUTE, std::string_view(payload, sizeof(payload))));
  PENSTOCK_ASSIGN(const std::string_view packet, ReadPacket());
  ByteReader reader(packet);
  const uint64_t columns = reader.LengthEncoded();
  // MariaDB leaves out definitions that it sent when preparing, and says so in one more byte.
  const bool definitions = reader.AtEnd() || reader.U8() != 0;
  if (!reader.ok() || columns == 0) {
    return Malformed("the source answered a SELECT without a result set");
  }
  if (definitions) PENSTOCK_TRY(SkipPackets(columns));
  return SkipEof();
}

Status Connection::Impl::StartSelect(std::string_view sql, std::stop_token stop) {
  PENSTOCK_CHECK(phase_ == Phase::kIdle);
  Obey(stop);
  CloseStatement();  // of a select that ended in an error
  PENSTOCK_ASSIGN(statement_, Prepare(sql));
  PENSTOCK_TRY(ExecutePrepared(statement_));
  Begin(Phase::kRows);
  return {};
}

// The server answers nothing to it; should it be lost, so is the connection.
void Connection::Impl::CloseStatement() {
  if (statement_ == 0) return;
  char payload[4];
  std::memcpy(payload, &statement_, 4);
  statement_ = 0;
  mysql_->methods->db_command(mysql_.get(), COM_STMT_CLOSE, payload, sizeof(payload), 1, nullptr);
}

Result<std::optional<std::string_view>> Connection::Impl::NextRow(const std::stop_token& stop) {
  PENSTOCK_CHECK(phase_ == Phase::kRows);
  Obey(stop);
  PENSTOCK_ASSIGN(std::string_view packet, ReadPacket());
  if (static_cast<uint8_t>(packet.front()) == kPacketOk) {
    return packet.substr(1);
  }
  if (!IsEof(packet)) return Malformed("the source sent neither a row nor an end of rows");
  End();
  CloseStatement();
  Disobey();
  return std::nullopt;
}

Result<size_t> Connection::Impl::NextRows(std::span<std::string_view> rows,
                                          const std::stop_token& stop) {
  PENSTOCK_CHECK(phase_ == Phase::kRows);
  Obey(stop);
  const size_t count = packets_ ? packets_->TakeReady(kPacketOk, rows) : 0;
  for (std::string_view& row : rows.first(count)) row.remove_prefix(1);
  if (count != 0) return count;
  PENSTOCK_ASSIGN(const auto row, NextRow(stop));
  if (!row) return 0;
  rows[0] = *row;
  return 1;
}

Status Connection::Impl::SendCommand(uint8_t command, std::string_view payload, bool expect_ok,
                                     std::stop_token stop) {
  PENSTOCK_CHECK(phase_ == Phase::kIdle);
  Obey(stop);
  PENSTOCK_TRY(Send(static_cast<enum_server_command>(command), payload));
  if (!expect_ok) {
    Begin(Phase::kDump);
    return {};
  }
  PENSTOCK_ASSIGN(const std::string_view packet, ReadPacket());
  Disobey();
  if (static_cast<uint8_t>(packet.front()) != kPacketOk) {
    return Malformed("the source did not acknowledge a command");
  }
  return {};
}

Result<std::optional<std::string_view>> Connection::Impl::NextPacket(std::stop_token stop) {
  PENSTOCK_CHECK(phase_ == Phase::kDump);
  Obey(stop);
  PENSTOCK_ASSIGN(std::string_view packet, ReadPacket());
  if (static_cast<uint8_t>(packet.front()) == kPacketOk) {
    return packet.substr(1);
  }
  if (!IsEof(packet)) return Malformed("the source sent neither an event nor an end of events");
  End();
  Disobey();
  return std::nullopt;
}

Status Connection::Impl::SetUpSession(std::stop_token stop) {
  PENSTOCK_TRY(Execute(kEverySession, stop));
  PENSTOCK_ASSIGN(const NamedRows version, Query("SELECT VERSION(), @@version_comment", stop));
  const std::vector<TextRow>& rows = version.rows;
  if (rows.size() != 1 || !rows[0][0]) return Malformed("the source does not say its version");
  server_.version = *rows[0][0];
  server_.number = VersionNumber(server_.version);
  const bool mariadb = MentionsMariadb(server_.version) || MentionsMariadb(rows[0][1].value_or(""));
  server_.flavour = mariadb ? Flavour::kMariadb : Flavour::kMysql;
  for (const SessionStatement& statement : kFlavouredSession) {
    if (statement.flavour == server_.flavour && server_.number >= statement.from_version) {
      PENSTOCK_TRY(Execute(statement.sql, stop));
    }
  }
  return {};
}

Result<Connection> Connection::Open(const Endpoint& endpoint, std::string_view purpose,
                                    std::stop_token stop) {
  auto breaker = std::make_unique<SocketBreaker>();
  Result<MysqlHandle> mysql = [&] {
    std::stop_callback breaking(stop, [&breaker] { breaker->Break(); });
    return Connect(endpoint, purpose, *breaker);
  }();
  if (!mysql) {
    if (stop.stop_requested()) {
      return Fail(ErrorCode::kCancelled, "stopped while connecting to the source");
    }
    const bool socket = endpoint.host.starts_with('/');
    return Fail(mysql.error().In(socket ? endpoint.host
                                        : fmt::format("{}:{}", endpoint.host, endpoint.port)));
  }
  auto impl = std::make_unique<Impl>(std::move(*mysql), std::move(breaker), endpoint.cut_sessions);
  PENSTOCK_TRY(impl->SetUpSession(stop));
  return Connection(std::move(impl));
}

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::~Connection() = default;
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;

const ServerInfo& Connection::server() const { return impl_->server(); }
std::optional<std::chrono::milliseconds> Connection::Silence() const { return impl_->Silence(); }

Status Connection::LimitStatements(std::chrono::seconds limit, std::stop_token stop) {
  const bool mariadb = server().flavour == Flavour::kMariadb;
  if (server().number < (mariadb ? 100'101U : 50'708U)) return {};
  return Execute(mariadb ? fmt::format("SET SESSION max_statement_time={}", limit.count())
                         : fmt::format("SET SESSION max_execution_time={}",
                                       std::chrono::milliseconds(limit).count()),
                 std::move(stop));
}

Status Connection::Execute(std::string_view sql, std::stop_token stop) {
  return impl_->Execute(sql, std::move(stop));
}
Result<std::vector<TextRow>> Connection::Query(std::string_view sql, std::stop_token stop) {
  PENSTOCK_ASSIGN(NamedRows answer, impl_->Query(sql, std::move(stop)));
  return std::move(answer.rows);
}

Result<NamedRows> Connection::QueryNamed(std::string_view sql, std::stop_token stop) {
  return impl_->Query(sql, std::move(stop));
}
Status Connection::StartSelect(std::string_view sql, std::stop_token stop) {
  return impl_->StartSelect(sql, std::move(stop));
}
Result<std::optional<std::string_view>> Connection::NextRow(const std::stop_token& stop) {
  return impl_->NextRow(stop);
}

Result<size_t> Connection::NextRows(std::span<std::string_view> rows, const std::stop_token& stop) {
  return impl_->NextRows(rows, stop);
}
bool Connection::is_reading() const { return impl_->is_reading(); }
Status Connection::SendCommand(uint8_t command, std::string_view payload, bool expect_ok,
                               std::stop_token stop) {
  return impl_->SendCommand(command, payload, expect_ok, std::move(stop));
}
Result<std::optional<std::string_view>> Connection::NextPacket(std::stop_token stop) {
  return impl_->NextPacket(std::move(stop));
}

}  // namespace penstock::mysql
