#include "base/status.h"

namespace penstock {

std::string_view ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kRetry:
      return "retry";
    case ErrorCode::kUnknownOutcome:
      return "unknown_outcome";
    case ErrorCode::kNeedsUser:
      return "needs_user";
    case ErrorCode::kBadData:
      return "bad_data";
    case ErrorCode::kInvalidArgument:
      return "invalid_argument";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kConflict:
      return "conflict";
    case ErrorCode::kExhausted:
      return "exhausted";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "internal";
}

Error Error::In(std::string_view context) const {
  Error error = *this;
  error.message = fmt::format("{}: {}", context, message);
  return error;
}

std::string Error::ToString() const {
  std::string text = message;
  if (native_code != 0) text += fmt::format(" ({} error {})", origin, native_code);
  if (!remedy.empty()) text += ". " + remedy;
  return text;
}

}  // namespace penstock
