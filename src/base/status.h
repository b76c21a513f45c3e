#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace penstock {

// Names an error by the reaction it asks for. Chosen where the error is born; nobody classifies it
// again from its text.
enum class ErrorCode {
  kRetry,            // transient: the same call may succeed later
  kUnknownOutcome,   // a write may or may not have happened
  kNeedsUser,        // only a person can mend it (privilege, configuration, purged log)
  kBadData,          // bytes that do not follow their format
  kInvalidArgument,  // the request itself is wrong
  kNotFound,
  kConflict,   // the object is in a state that forbids this
  kExhausted,  // a limit was reached (memory, disk, connections)
  kCancelled,  // a stop was requested
  kInternal,   // a bug of ours
};

std::string_view ErrorCodeName(ErrorCode code);

// `message` is one line for a person, says what to do where that is known, and never holds a
// secret.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message{};
  std::string origin{};  // "source", "destination", "catalog", "disk"; empty: penstock itself
  int native_code = 0;   // errno of MySQL, exception code of ClickHouse; 0: none
  std::string remedy{};  // what the user can do, one sentence; empty: nothing known

  // The same error with "`context`: " before its message.
  Error In(std::string_view context) const;
  // "message (origin error N). remedy"
  std::string ToString() const;
};

using Status = tl::expected<void, Error>;
template <typename T>
using Result = tl::expected<T, Error>;

using Failure = tl::unexpected<Error>;

inline Failure Fail(Error error) { return Failure(std::move(error)); }

template <typename... Args>
Failure Fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return Failure(Error{.code = code, .message = fmt::format(format, std::forward<Args>(args)...)});
}

// Returns the error of a Status or Result expression from the enclosing function.
#define PENSTOCK_TRY(expression) \
  PENSTOCK_TRY_INNER(PENSTOCK_CONCAT(penstock_status_, __LINE__), expression)
#define PENSTOCK_TRY_INNER(status, expression)                          \
  do {                                                                  \
    auto status = (expression);                                         \
    if (!status) return ::penstock::Failure(std::move(status).error()); \
  } while (false)

#define PENSTOCK_CONCAT_INNER(a, b) a##b
#define PENSTOCK_CONCAT(a, b) PENSTOCK_CONCAT_INNER(a, b)
// PENSTOCK_ASSIGN(auto x, F()): declares or assigns the value, or returns the error.
#define PENSTOCK_ASSIGN(target, expression) \
  PENSTOCK_ASSIGN_INNER(PENSTOCK_CONCAT(penstock_result_, __LINE__), target, expression)
#define PENSTOCK_ASSIGN_INNER(result, target, expression)             \
  auto result = (expression);                                         \
  if (!result) return ::penstock::Failure(std::move(result).error()); \
  target = std::move(*result)

}  // namespace penstock
