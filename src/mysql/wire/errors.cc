#include "mysql/wire/errors.h"

#include <algorithm>
#include <array>
#include <string>

namespace penstock::mysql {
namespace {

struct Entry {
  int native_code;
  ErrorCode code;
  std::string_view remedy;
};

constexpr std::string_view kSameServerId =
    "Give every pipe and replica of this source a server id of its own (serverId)";
constexpr std::string_view kGrantSelect = "Grant SELECT on the database or table to the user";
constexpr std::string_view kCheckPassword =
    "Check the user name, the password, and from which hosts the server lets this user in";
constexpr std::string_view kCheckAddress =
    "Check host and port, that the server runs, and that no firewall is between";
constexpr std::string_view kCheckTls =
    "Check caCertificate and tlsHost against the server's certificate; skipCertVerification "
    "believes any certificate, disableTls sends everything in clear";
constexpr std::string_view kRaiseConnections =
    "Raise max_connections or max_user_connections, or close idle connections";

// Sorted by errno: https://dev.mysql.com/doc/mysql-errors/en/server-error-reference.html,
// https://mariadb.com/kb/en/mariadb-error-code-reference/
constexpr std::array kTable = {
    Entry{1021, ErrorCode::kRetry, "Free space on the source's disk"},
    Entry{1037, ErrorCode::kRetry, ""},
    Entry{1038, ErrorCode::kRetry, ""},
    Entry{1040, ErrorCode::kRetry, kRaiseConnections},
    Entry{1041, ErrorCode::kRetry, ""},
    Entry{1042, ErrorCode::kRetry, ""},
    Entry{1043, ErrorCode::kRetry, ""},
    Entry{1044, ErrorCode::kNeedsUser, kGrantSelect},
    Entry{1045, ErrorCode::kNeedsUser, kCheckPassword},
    Entry{1047, ErrorCode::kRetry, ""},  // Galera: the node is joining
    Entry{1049, ErrorCode::kNeedsUser, "Check the name of the source database"},
    Entry{1053, ErrorCode::kRetry, ""},
    Entry{1054, ErrorCode::kNotFound, ""},
    Entry{1064, ErrorCode::kInternal, ""},
    Entry{1077, ErrorCode::kRetry, ""},
    Entry{1078, ErrorCode::kRetry, ""},
    Entry{1079, ErrorCode::kRetry, ""},
    Entry{1129, ErrorCode::kNeedsUser, "Run FLUSH HOSTS (mysqladmin flush-hosts) on the source"},
    Entry{1130, ErrorCode::kNeedsUser, kCheckPassword},
    Entry{1135, ErrorCode::kRetry, ""},
    Entry{1142, ErrorCode::kNeedsUser, kGrantSelect},
    Entry{1143, ErrorCode::kNeedsUser, kGrantSelect},
    Entry{1146, ErrorCode::kNotFound, "Check the names of the source database and table"},
    Entry{1152, ErrorCode::kRetry, ""},
    Entry{1158, ErrorCode::kRetry, ""},
    Entry{1159, ErrorCode::kRetry, ""},
    Entry{1160, ErrorCode::kRetry, ""},
    Entry{1161, ErrorCode::kRetry, ""},
    Entry{1184, ErrorCode::kRetry, ""},
    Entry{1193, ErrorCode::kNotFound, ""},
    Entry{1203, ErrorCode::kRetry, kRaiseConnections},
    Entry{1205, ErrorCode::kRetry, ""},
    Entry{1213, ErrorCode::kRetry, ""},
    Entry{1226, ErrorCode::kRetry, "Raise the user's resource limits (ALTER USER ... WITH ...)"},
    Entry{1227, ErrorCode::kNeedsUser, kGrantReplicationRemedy},
    Entry{1236, ErrorCode::kNeedsUser,
          "If the log has been purged, resync the pipe and keep logs for longer "
          "(binlog_expire_logs_seconds); if another replica uses this server id, choose another "
          "(serverId)"},
    Entry{1251, ErrorCode::kNeedsUser, ""},
    Entry{1290, ErrorCode::kNeedsUser, ""},
    Entry{1317, ErrorCode::kRetry, ""},
    Entry{1381, ErrorCode::kNeedsUser, "Start the source with log_bin"},
    Entry{1401, ErrorCode::kNeedsUser, "Grant it: GRANT XA_RECOVER_ADMIN ON *.* TO the user"},
    Entry{1412, ErrorCode::kRetry, ""},
    Entry{1615, ErrorCode::kRetry, ""},
    Entry{1698, ErrorCode::kNeedsUser, kCheckPassword},
    Entry{1820, ErrorCode::kNeedsUser, "Set a new password: it has expired"},
    Entry{1862, ErrorCode::kNeedsUser, "Set a new password: it has expired"},
    Entry{1927, ErrorCode::kRetry, ""},
    Entry{1969, ErrorCode::kRetry, "Raise max_statement_time on the source"},
    Entry{2001, ErrorCode::kRetry, ""},
    Entry{2002, ErrorCode::kRetry, kCheckAddress},
    Entry{2003, ErrorCode::kRetry, kCheckAddress},
    Entry{2005, ErrorCode::kRetry, "Check the host name"},
    Entry{2012, ErrorCode::kRetry, ""},
    Entry{2014, ErrorCode::kInternal, ""},
    Entry{2020, ErrorCode::kExhausted, ""},
    Entry{2026, ErrorCode::kRetry, kCheckTls},
    Entry{2027, ErrorCode::kBadData, ""},
    Entry{2059, ErrorCode::kNeedsUser,
          "Use an account with caching_sha2_password, mysql_native_password or ed25519"},
    Entry{2061, ErrorCode::kNeedsUser, kCheckPassword},
    Entry{3024, ErrorCode::kRetry, "Raise max_execution_time on the source"},
    Entry{3032, ErrorCode::kRetry, "The source is in offline mode"},
    Entry{3118, ErrorCode::kNeedsUser, "Unlock the account: ALTER USER ... ACCOUNT UNLOCK"},
    Entry{3159, ErrorCode::kNeedsUser, "The source accepts only TLS: leave disableTls out"},
    Entry{3169, ErrorCode::kRetry, ""},
    Entry{4031, ErrorCode::kRetry, ""},
    Entry{4052, ErrorCode::kNeedsUser, kSameServerId},
    Entry{4151, ErrorCode::kNeedsUser, "Unlock the account: ALTER USER ... ACCOUNT UNLOCK"},
    Entry{5010, ErrorCode::kNeedsUser,
          "Use an account with caching_sha2_password, mysql_native_password or ed25519; plugins "
          "that send the password itself need verified TLS"},
};

constexpr bool IsSorted() {
  for (size_t i = 1; i < kTable.size(); ++i) {
    if (kTable[i - 1].native_code >= kTable[i].native_code) return false;
  }
  return true;
}
static_assert(IsSorted());

// Ranges of the client library and of proxies (ProxySQL: no backend answers): they pass.
bool IsBetweenCode(int code) {
  return (code >= 2000 && code < 3000) || (code >= 5000 && code < 6000) ||
         (code >= 9000 && code < 10'000);
}

// What is said of one table or column: not there, no right, damaged. Sorted.
constexpr std::array kOfOneTable = {0,  // born here
                                    1054, 1142, 1143, 1146, 1194, 1195, 1356, 1812, 1932};
static_assert(std::ranges::is_sorted(kOfOneTable));

}  // namespace

bool ConcernsOneTable(const Error& error) {
  const bool for_good = error.code == ErrorCode::kNeedsUser || error.code == ErrorCode::kBadData ||
                        error.code == ErrorCode::kInvalidArgument ||
                        error.code == ErrorCode::kNotFound || error.code == ErrorCode::kConflict;
  return for_good && (error.origin == "source" || error.origin.empty()) &&
         std::ranges::binary_search(kOfOneTable, error.native_code);
}

Error SourceError(int native_code, std::string_view message) {
  Error error{.code = IsBetweenCode(native_code) ? ErrorCode::kRetry : ErrorCode::kNeedsUser,
              .message = std::string(message),
              .origin = "source",
              .native_code = native_code};
  const auto* entry = std::ranges::lower_bound(kTable, native_code, {}, &Entry::native_code);
  if (entry != kTable.end() && entry->native_code == native_code) {
    error.code = entry->code;
    error.remedy = entry->remedy;
  }
  if (error.message.empty()) error.message = fmt::format("MySQL error {}", native_code);
  return error;
}

}  // namespace penstock::mysql
