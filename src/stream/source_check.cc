#include "stream/source_check.h"

#include <fmt/format.h>

#include <utility>

#include "mysql/wire/common_history.h"
#include "mysql/wire/errors.h"
#include "mysql/wire/log_files.h"
#include "mysql/wire/replica_lag.h"

namespace penstock::stream {
namespace {

using model::Mechanism;

constexpr std::chrono::seconds kLackingMax{60};
constexpr std::chrono::seconds kLackingAloneMax{15};  // of a server that replicates no other
constexpr std::chrono::seconds kLackingPauseMax{30};  // between two looks; above all waits between

Failure NeedsUser(std::string message, std::string_view remedy) {
  return Fail(Error{.code = ErrorCode::kNeedsUser,
                    .message = std::move(message),
                    .origin = "source",
                    .native_code = 0,
                    .remedy = std::string(remedy)});
}

bool IsMysql(const mysql::Connection& connection) {
  return connection.server().flavour == mysql::Flavour::kMysql;
}

}  // namespace

SourceCheck::SourceCheck(Assembler& assembler, const StreamOptions& options)
    : assembler_(assembler), options_(options) {}

bool SourceCheck::by_file() const { return assembler_.position().mechanism == Mechanism::kFile; }

Status SourceCheck::BeforeSession(mysql::Connection& connection, std::stop_token stop) {
  PENSTOCK_TRY(mysql::CheckLogIsOn(connection, stop));
  PENSTOCK_ASSIGN(const std::string server, mysql::ServerName(connection, stop));
  PENSTOCK_TRY(AdaptMechanism(connection, server, stop));
  const std::string known = assembler_.position().server;
  if (by_file() && IsMysql(connection) && !known.empty() && known != server) {
    return NeedsUser(
        fmt::format("the source is now the server {}, and the position {} is of the log of {}: "
                    "places in files mean nothing on another server",
                    server, assembler_.position().ToString(), known),
        "Point the pipe at the server it was reading, or resync the pipe (penstock resync); with "
        "GTIDs a pipe goes on after a failover");
  }
  if (by_file() || known == server) PENSTOCK_TRY(CheckFile(connection, stop));
  if (!by_file()) PENSTOCK_TRY(CheckExecuted(connection, server, stop));
  if (assembler_.position().mechanism == Mechanism::kMysqlGtid && IsMysql(connection)) {
    PENSTOCK_TRY(mysql::CheckNotPurged(connection, assembler_.position(), std::move(stop)));
  }
  assembler_.set_server(server);
  return {};
}

// MySQL begins a log by GTIDs only when it gives one to every transaction.
Status SourceCheck::AdaptMechanism(mysql::Connection& connection, const std::string& server,
                                   std::stop_token stop) {
  const model::Position& position = assembler_.position();
  if (position.mechanism == Mechanism::kMariadbGtid || !IsMysql(connection)) return {};
  PENSTOCK_ASSIGN(gtid_mode_, mysql::GtidMode(connection, std::move(stop)));
  const bool all_have_one = gtid_mode_ == "ON";
  if (by_file()) {
    if (all_have_one && options_.mechanism_may_change && assembler_.knows_all_gtids()) {
      GoBy(Mechanism::kMysqlGtid, "the source gives every transaction a GTID now");
    }
    return {};
  }
  if (all_have_one && log_error_) return Fail(*log_error_);
  if (all_have_one) return {};
  const std::string why = fmt::format("the source's gtid_mode is {}", gtid_mode_);
  if (!options_.mechanism_may_change) {
    return NeedsUser(why + ", and replicationMechanism is GTID",
                     "Set gtid_mode=ON again and start the pipe; if something was written without "
                     "GTIDs meanwhile, resync it (penstock resync)");
  }
  if (position.file.empty() || position.server != server) {
    return NeedsUser(why + ", and the place in the files of its log is not known",
                     "Set gtid_mode=ON on the server, or resync the pipe (penstock resync)");
  }
  GoBy(Mechanism::kFile, why);
  return {};
}

void SourceCheck::GoBy(Mechanism mechanism, std::string_view why) {
  assembler_.set_mechanism(mechanism);
  log_error_.reset();
  options_.on_position_news(fmt::format("the log is followed by {} from {} on: {}",
                                        mechanism == Mechanism::kFile ? "file" : "GTID",
                                        assembler_.position().ToString(), why));
}

// The same server may have lost the end of its log in a crash, and given the GTIDs of what was
// there to other transactions.
Status SourceCheck::CheckFile(mysql::Connection& connection, std::stop_token stop) {
  const auto files = mysql::LogFiles(connection, std::move(stop));
  if (by_file()) {
    if (!files) return Fail(files.error());
    PENSTOCK_TRY(mysql::CheckInLog(*files, assembler_.position()));
  }
  if (!files) return files.error().code == ErrorCode::kNeedsUser ? Status() : Fail(files.error());
  const model::Position furthest = assembler_.Furthest();
  for (const auto& file : *files) {
    // What the log has of an offset are its lower 32 bits.
    if (file.name != furthest.file || furthest.offset >> 32 != 0) continue;
    PENSTOCK_TRY(mysql::CheckInLog({file}, furthest));
  }
  return {};
}

// After a failover the server may lack transactions that have been written to the destination. For
// a while that is to be expected: of a replica that is behind, and of a source that sends a
// transaction before it counts as executed (semi-sync).
Status SourceCheck::CheckExecuted(mysql::Connection& connection, const std::string& server,
                                  std::stop_token stop) {
  const model::Position position = assembler_.Furthest();
  const bool of_its_family = (position.mechanism == Mechanism::kMysqlGtid) == IsMysql(connection);
  if (!of_its_family) return {};  // refused when its log is asked for
  PENSTOCK_ASSIGN(const auto common, mysql::CommonHistory(connection, position, stop));
  if (!common) {
    options_.lacking->since.reset();
    return {};
  }
  const auto behind = mysql::ReplicaLag(connection, stop);
  const bool replicates_nothing = behind && !*behind;
  const bool for_good = LackingFor() >= (replicates_nothing ? kLackingAloneMax : kLackingMax);
  const bool failed_over = !position.server.empty() && position.server != server &&
                           mysql::PartsFromHistory(position, *common);
  if (for_good && failed_over) options_.on_lacking(*common);
  return Fail(Error{
      .code = for_good ? ErrorCode::kNeedsUser : ErrorCode::kRetry,
      .message = fmt::format("the source lacks transactions that have been replicated from it "
                             "already (of {} it has {}): it was replaced, reset, or is an older "
                             "replica",
                             position.ToString(), common->ToString()),
      .origin = "source",
      .native_code = 0,
      .remedy = "Point the pipe at a server that has them, or resync the pipe "
                "(penstock resync)"});
}

// Time in which no server answered does not count.
std::chrono::nanoseconds SourceCheck::LackingFor() {
  Lacking& lacking = *options_.lacking;
  const SteadyTime now = options_.clock->Steady();
  if (!lacking.since || now - lacking.seen_at > kLackingPauseMax) lacking.since = now;
  lacking.seen_at = now;
  return now - *lacking.since;
}

bool SourceCheck::AsksForNewSession() {
  if (!options_.mechanism_may_change || !by_file()) return false;
  if (asked_in_file_ == assembler_.position().file || !assembler_.knows_all_gtids()) return false;
  asked_in_file_ = assembler_.position().file;
  return true;
}

// A MySQL server does not send what its gtid_mode does not allow, and says so only when it comes to
// it. A log that cannot be read on by GTID can be by file if the mode has changed.
Status SourceCheck::AfterSession(Error error) {
  const bool log_ended =
      error.native_code == mysql::kErrLogRead || error.native_code == mysql::kErrSameServerId;
  if (log_ended && !log_error_) error = error.In(fmt::format("as serverId {}", options_.server_id));
  if (error.native_code != mysql::kErrLogRead) return Fail(std::move(error));
  if (assembler_.position().mechanism == Mechanism::kMysqlGtid && !log_error_) {
    log_error_ = std::move(error);
    return {};
  }
  return Fail(WithModeRemedy(std::move(error)));
}

Error SourceCheck::WithModeRemedy(Error error) const {
  if (options_.mechanism_may_change && (gtid_mode_ == "ON" || gtid_mode_ == "OFF")) {
    error.remedy = fmt::format(
        "If gtid_mode was changed, which the source sends no transactions of before: set it to "
        "{}_PERMISSIVE, start the pipe, and set it back when the pipe has caught up. {}",
        gtid_mode_, error.remedy);
  }
  return error;
}

}  // namespace penstock::stream
