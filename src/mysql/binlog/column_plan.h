#pragma once

#include <cstdint>
#include <optional>

#include "base/status.h"
#include "model/table.h"

namespace penstock::binlog {

// How the cells of one column are stored in a row image.
enum class Codec : uint8_t {
  kInt8,
  kInt16,
  kInt24,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kUint24,
  kUint32,
  kUint64,
  kLabels,  // ENUM, SET: little-endian of `width` bytes
  kBit,     // big-endian of `width` bytes
  kFloat,
  kDouble,
  kDecimal,
  kDecimalText,
  kBytes,       // after a length of `width` bytes
  kBinary,      // likewise, without the zeros at its end
  kJson,        // likewise
  kCompressed,  // likewise; deflated, at most `length` bytes before
  kDate,
  kYear,
  kShortYear,  // YEAR(2)
  kDateTime2,
  kTimestamp2,
  kTime2,
  kOldDateTime,
  kOldTimestamp,
  kOldTime,
  kSkipFixed,    // `length` bytes that nobody wants, read as NULL
  kSkipCounted,  // likewise, after a length of `width` bytes
};

struct ColumnPlan {
  Codec codec = Codec::kBytes;
  uint8_t width = 0;
  uint8_t precision = 0;
  uint8_t scale = 0;    // digits of the fraction, also of temporal columns
  uint32_t length = 0;  // bytes: kBinary with the zeros, kCompressed at most, kSkipFixed
};

// What a table map says of one column: "Table_map_event", column types and metadata.
struct LoggedColumn {
  uint8_t type = 0;
  uint16_t metadata = 0;
  std::optional<bool> is_unsigned;  // nullopt: the server does not say
};

// A column of type kUnsupported is skipped, whatever the log holds.
// kConflict with the difference ("column `a` is DECIMAL(10,2), but ... in the log") when the log's
// column is not what the definition says, or is to be skipped and of a type not known here.
Result<ColumnPlan> PlanColumn(const model::Column& column, const LoggedColumn& logged);

}  // namespace penstock::binlog
