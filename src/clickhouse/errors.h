#pragma once

#include <string_view>

#include "base/status.h"

namespace penstock::clickhouse {

// The error of a ClickHouse exception: the reaction and the remedy from the table in errors.cc, the
// server's own sentence without its "Code: N. DB::Exception: " and version. A code that is not in
// the table is kRetry: it stays visible while it lasts, and nothing is given up for good.
Error ExceptionError(int code, std::string_view text);

// The error of an HTTP status that no ClickHouse exception explains: what a proxy or another server
// answers. `text` is the start of the body.
Error HttpStatusError(long status, std::string_view text);

// Whether an error of a statement about one table says nothing against the others: the server, the
// database and the user are as they should be.
bool ConcernsOneTable(const Error& error);

// Whether it is known if the exception passes by itself. What a view may throw is without end.
bool IsKnownException(int code);

inline constexpr int kErrTypeMismatch = 53;
inline constexpr int kErrAccessDenied = 497;
inline constexpr int kErrTooManyParts = 252;
inline constexpr int kErrReadonly = 164;
inline constexpr int kErrUnfinished = 341;
inline constexpr int kErrSessionIsLocked = 373;
inline constexpr int kErrInvalidSessionTimeout = 374;
inline constexpr int kErrSettingConstraintViolation = 452;

// "Code: 60. DB::Exception: ..." -> 60; 0 when `text` does not begin so.
int ExceptionCodeOf(std::string_view text);

}  // namespace penstock::clickhouse
