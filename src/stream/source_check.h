#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "mysql/wire/connection.h"
#include "stream/assembler.h"
#include "stream/stream.h"

namespace penstock::stream {

// Whether a server's log can be followed from where the stream is, and how: by GTIDs, or by file
// and offset. Asked at each connection, since another server may stand behind the host's name by
// then, and a MySQL server may have begun or ceased to give GTIDs. One thread.
class SourceCheck {
 public:
  // Both outlive it.
  SourceCheck(Assembler& assembler, const StreamOptions& options);

  // Before a log session. kNeedsUser where the position is not in this server's log; kRetry while
  // the server may only be behind.
  Status BeforeSession(mysql::Connection& connection, std::stop_token stop);

  // The position allows to go on by GTIDs, and whether the server does was not asked yet: the
  // session is to be ended.
  bool AsksForNewSession();

  // What a session that ended so means. Without an error: the next may begin at once.
  Status AfterSession(Error error);

 private:
  Status AdaptMechanism(mysql::Connection& connection, const std::string& server,
                        std::stop_token stop);
  Status CheckFile(mysql::Connection& connection, std::stop_token stop);
  Status CheckExecuted(mysql::Connection& connection, const std::string& server,
                       std::stop_token stop);
  std::chrono::nanoseconds LackingFor();
  bool by_file() const;
  void GoBy(model::Mechanism mechanism, std::string_view why);
  Error WithModeRemedy(Error error) const;

  Assembler& assembler_;
  const StreamOptions& options_;
  std::string asked_in_file_;       // whether it has GTIDs for all
  std::string gtid_mode_;           // at the last connection
  std::optional<Error> log_error_;  // of the last session by GTID
};

}  // namespace penstock::stream
