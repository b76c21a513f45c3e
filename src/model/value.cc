#include "model/value.h"

#include <bit>

namespace penstock::model {

bool operator==(const Value& a, const Value& b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case ValueKind::kNull:
    case ValueKind::kAbsent:
      return true;
    case ValueKind::kInt:
    case ValueKind::kDecimal:
    case ValueKind::kInstant:
    case ValueKind::kTime:
      return a.i == b.i;
    case ValueKind::kUint:
      return a.u == b.u;
    case ValueKind::kFloat:
    case ValueKind::kDouble:
      return std::bit_cast<uint64_t>(a.d) == std::bit_cast<uint64_t>(b.d);
    case ValueKind::kCivil:
      return a.civil == b.civil;
    case ValueKind::kDecimalText:
    case ValueKind::kBytes:
      return a.bytes == b.bytes;
  }
  return false;
}

}  // namespace penstock::model
