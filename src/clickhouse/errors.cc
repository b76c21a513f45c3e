#include "clickhouse/errors.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace penstock::clickhouse {
namespace {

struct Rule {
  int code;
  ErrorCode reaction;
  std::string_view remedy;
};

constexpr std::string_view kLogin = "Check the user name and password of the destination";
constexpr std::string_view kGrant =
    "Grant the destination user what the message names: penstock needs SELECT, INSERT, CREATE, "
    "ALTER, DROP and TRUNCATE on the destination database";
constexpr std::string_view kLostTable =
    "Resync the table (or the pipe) to create it again in the destination";
constexpr std::string_view kChangedTable =
    "The destination table differs from what penstock created; give the column its type back, or "
    "resync the table";
constexpr std::string_view kOldServer = "Update ClickHouse: this server is too old for penstock";
constexpr std::string_view kSettings =
    "Allow the destination user to change the setting the message names";
constexpr std::string_view kReadOnly =
    "Let the destination user write again: its profile, or its quota, says readonly";
constexpr std::string_view kView =
    "Mend or drop the materialized view, or the constraint, that throws; then resync the table";
constexpr std::string_view kMemory = "Give the ClickHouse server more memory if this lasts";
constexpr std::string_view kDisk = "Free disk space on the ClickHouse server";
constexpr std::string_view kBusy = "";
constexpr std::string_view kKeeper = "Check the server's Keeper and replicas if this lasts";

using enum ErrorCode;

// Sorted by code. Names: SELECT errorCodeToName(N).
constexpr std::array kRules = std::to_array<Rule>({
    {6, kInternal, ""},               // CANNOT_PARSE_TEXT
    {8, kNeedsUser, kChangedTable},   // THERE_IS_NO_COLUMN
    {10, kNeedsUser, kChangedTable},  // NOT_FOUND_COLUMN_IN_BLOCK
    {16, kNeedsUser, kChangedTable},  // NO_SUCH_COLUMN_IN_TABLE
    {20, kInternal, ""},              // NUMBER_OF_COLUMNS_DOESNT_MATCH
    {33, kInternal, ""},              // CANNOT_READ_ALL_DATA
    {36, kInternal, ""},              // BAD_ARGUMENTS
    {43, kNeedsUser, kChangedTable},  // ILLEGAL_TYPE_OF_ARGUMENT
    {44, kNeedsUser, kChangedTable},  // ILLEGAL_COLUMN
    {46, kNeedsUser, kOldServer},     // UNKNOWN_FUNCTION
    {47, kNeedsUser, kChangedTable},  // UNKNOWN_IDENTIFIER
    {48, kNeedsUser, ""},             // NOT_IMPLEMENTED
    {50, kNeedsUser, kOldServer},     // UNKNOWN_TYPE
    {53, kNeedsUser, kChangedTable},  // TYPE_MISMATCH
    {56, kNeedsUser, kOldServer},     // UNKNOWN_STORAGE
    {57, kConflict, ""},              // TABLE_ALREADY_EXISTS
    {60, kNeedsUser, kLostTable},     // UNKNOWN_TABLE
    {62, kInternal, ""},              // SYNTAX_ERROR
    {70, kNeedsUser, kChangedTable},  // CANNOT_CONVERT_TYPE
    {72, kNeedsUser, kChangedTable},  // CANNOT_PARSE_NUMBER
    {73, kInternal, ""},              // UNKNOWN_FORMAT
    {81, kNeedsUser, kLostTable},     // UNKNOWN_DATABASE
    {82, kConflict, ""},              // DATABASE_ALREADY_EXISTS
    {115, kNeedsUser, kOldServer},    // UNKNOWN_SETTING
    {117, kInternal, ""},             // INCORRECT_DATA
    {131, kNeedsUser, ""},            // TOO_LARGE_STRING_SIZE
    {158, kNeedsUser, kSettings},     // TOO_MANY_ROWS
    {159, kRetry, kBusy},             // TIMEOUT_EXCEEDED
    {160, kRetry, kBusy},             // TOO_SLOW
    {164, kRetry, kReadOnly},         // READONLY
    {173, kRetry, kMemory},           // CANNOT_ALLOCATE_MEMORY
    {192, kNeedsUser, kLogin},        // UNKNOWN_USER
    {193, kNeedsUser, kLogin},        // WRONG_PASSWORD
    {194, kNeedsUser, kLogin},        // REQUIRED_PASSWORD
    {195, kNeedsUser, "Allow this host's address for the destination user"},  // IP_ADDRESS_NOT_...
    {201, kRetry, "Raise the quota of the destination user"},                 // QUOTA_EXCEEDED
    {202, kRetry, kBusy},    // TOO_MANY_SIMULTANEOUS_QUERIES
    {203, kRetry, kBusy},    // NO_FREE_CONNECTION
    {209, kRetry, kBusy},    // SOCKET_TIMEOUT
    {210, kRetry, kBusy},    // NETWORK_ERROR
    {216, kRetry, kBusy},    // QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING
    {225, kRetry, kKeeper},  // NO_ZOOKEEPER
    {236, kRetry, kBusy},    // ABORTED
    {241, kRetry, kMemory},  // MEMORY_LIMIT_EXCEEDED
    {242, kRetry, kKeeper},  // TABLE_IS_READ_ONLY
    {243, kRetry, kDisk},    // NOT_ENOUGH_SPACE
    {252, kRetry, "Use a longer sync interval, or fewer partitions in the destination table"},
    {254, kRetry, kKeeper},            // NO_ACTIVE_REPLICAS
    {279, kRetry, kKeeper},            // ALL_CONNECTION_TRIES_FAILED
    {285, kRetry, kKeeper},            // TOO_FEW_LIVE_REPLICAS
    {286, kRetry, kKeeper},            // UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
    {291, kNeedsUser, kGrant},         // DATABASE_ACCESS_DENIED
    {307, kNeedsUser, kSettings},      // TOO_MANY_BYTES
    {319, kUnknownOutcome, kKeeper},   // UNKNOWN_STATUS_OF_INSERT
    {321, kNeedsUser, kChangedTable},  // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
    {341, kRetry, kBusy},              // UNFINISHED
    {344, kNeedsUser, ""},             // SUPPORT_IS_DISABLED
    {349, kNeedsUser, kChangedTable},  // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
    {359, kNeedsUser, "Drop the table by hand, or raise max_table_size_to_drop on the server"},
    {364, kRetry, kBusy},              // RECEIVED_ERROR_TOO_MANY_REQUESTS
    {373, kRetry, kBusy},              // SESSION_IS_LOCKED
    {392, kNeedsUser, kGrant},         // QUERY_IS_PROHIBITED
    {394, kRetry, kBusy},              // QUERY_WAS_CANCELLED
    {395, kNeedsUser, kView},          // FUNCTION_THROW_IF_VALUE_IS_NON_ZERO
    {396, kNeedsUser, kSettings},      // TOO_MANY_ROWS_OR_BYTES
    {407, kNeedsUser, kChangedTable},  // DECIMAL_OVERFLOW
    {452, kNeedsUser, kSettings},      // SETTING_CONSTRAINT_VIOLATION
    {469, kNeedsUser, "Drop the constraint that the message names from the destination table"},
    {472, kNeedsUser, kSettings},     // READONLY_SETTING
    {497, kNeedsUser, kGrant},        // ACCESS_DENIED
    {516, kNeedsUser, kLogin},        // AUTHENTICATION_FAILED
    {659, kUnknownOutcome, kKeeper},  // UNKNOWN_STATUS_OF_TRANSACTION
    {692, kRetry, "Let the mutations of the destination table come to their ends"},  // TOO_MANY_...
    {700, kRetry, kBusy},                                             // USER_SESSION_LIMIT_EXCEEDED
    {720, kNeedsUser, kLogin},                                        // USER_EXPIRED
    {724, kNeedsUser, "Raise max_table_num_to_throw on the server"},  // TOO_MANY_TABLES
    {725, kNeedsUser, "Raise max_database_num_to_throw on the server"},  // TOO_MANY_DATABASES
    {735, kRetry, kBusy},    // QUERY_WAS_CANCELLED_BY_CLIENT
    {745, kRetry, kBusy},    // SERVER_OVERLOADED
    {774, kNeedsUser, ""},   // TABLE_IS_PERMANENTLY_READ_ONLY
    {999, kRetry, kKeeper},  // KEEPER_EXCEPTION
});

static_assert(std::ranges::is_sorted(kRules, {}, &Rule::code));

// What no statement gets past, of whatever table: the database, the user, the settings. Sorted.
constexpr std::array kOfEveryTable = {0,  // no exception: what answered is not ClickHouse
                                      46,  50,  56,  81,  115, 158, 192, 193, 194, 195,
                                      291, 307, 344, 392, 396, 452, 472, 497, 516, 720};
static_assert(std::ranges::is_sorted(kOfEveryTable));

constexpr size_t kMessageBytesMax = 2000;

// The first line, without what repeats the code or names the version.
std::string Sentence(std::string_view text) {
  text = text.substr(0, std::min(text.find('\n'), kMessageBytesMax));
  constexpr std::string_view kPrefix = "DB::Exception: ";
  if (text.starts_with("Code: ")) {
    if (const size_t at = text.find(kPrefix); at != text.npos)
      text.remove_prefix(at + kPrefix.size());
  }
  if (const size_t at = text.rfind(" (version "); at != text.npos) text = text.substr(0, at);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return std::string(text);
}

}  // namespace

bool IsKnownException(int code) {
  return std::ranges::binary_search(kRules, code, {}, &Rule::code);
}

Error ExceptionError(int code, std::string_view text) {
  const auto rule = std::ranges::lower_bound(kRules, code, {}, &Rule::code);
  const bool known = IsKnownException(code);
  std::string message = Sentence(text);
  if (message.empty()) message = "ClickHouse refused the statement without a message";
  return {.code = known ? rule->reaction : kRetry,
          .message = std::move(message),
          .origin = "destination",
          .native_code = code,
          .remedy = std::string(known ? rule->remedy : "")};
}

Error HttpStatusError(long status, std::string_view text) {
  Error error{.code = kNeedsUser,
              .message = fmt::format("HTTP status {} without a ClickHouse exception: {}", status,
                                     Sentence(text.substr(0, 200))),
              .origin = "destination",
              .native_code = 0,
              .remedy =
                  "Check that the destination's url is the HTTP interface of a ClickHouse "
                  "server (port 8123, or 8443 for https)"};
  if (status == 408 || status == 429 || status >= 500) {
    error.code = kRetry;
    error.remedy = "Check the proxy or load balancer before the ClickHouse server if this lasts";
  }
  return error;
}

bool ConcernsOneTable(const Error& error) {
  const bool for_good = error.code == kNeedsUser || error.code == kInternal ||
                        error.code == kConflict || error.code == kNotFound;
  return for_good && error.origin == "destination" &&
         !std::ranges::binary_search(kOfEveryTable, error.native_code);
}

int ExceptionCodeOf(std::string_view text) {
  constexpr std::string_view kPrefix = "Code: ";
  if (!text.starts_with(kPrefix)) return 0;
  text.remove_prefix(kPrefix.size());
  int code = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), code);
  return parsed.ec == std::errc() ? code : 0;
}

}  // namespace penstock::clickhouse
