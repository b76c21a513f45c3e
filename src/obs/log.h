#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"

namespace penstock {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };

// Text: "TIME LEVEL PIPE [TABLE] MESSAGE", the pipe "-" and the table left out where a record
// concerns none. JSON: an object a line, of time, level, pipe, table and message.
enum class LogFormat : uint8_t { kText, kJson };

// "debug", "info", "warning", "error"; "text", "json"
std::optional<LogLevel> ParseLogLevel(std::string_view name);
std::optional<LogFormat> ParseLogFormat(std::string_view name);

// All of it process-wide and safe from any thread, also while others log.
// Records below the level are dropped; kInfo until set.
void SetLogLevel(LogLevel level);
bool LogEnabled(LogLevel level);
void SetLogFormat(LogFormat format);
// Appends to the file, which is made where there is none, in place of stderr; "": to stderr again.
// Opens it anew each time. kNeedsUser: it cannot be opened, and nothing changes.
Status SetLogFile(const std::filesystem::path& file);

// What a record concerns: a pipe, and one of its tables as the source names it.
struct LogSubject {
  std::string_view pipe;
  std::string_view table = {};

  // NOLINTBEGIN(google-explicit-constructor)
  LogSubject(const char* its_pipe) : pipe(its_pipe) {}
  LogSubject(std::string_view its_pipe) : pipe(its_pipe) {}
  LogSubject(const std::string& its_pipe) : pipe(its_pipe) {}
  // NOLINTEND(google-explicit-constructor)
  LogSubject(std::string_view its_pipe, std::string_view its_table)
      : pipe(its_pipe), table(its_table) {}
};

// Writes one line: its time (UTC), level, subject and message. A record stays a line whatever it
// quotes. Never pass a secret.
void WriteLog(LogLevel level, LogSubject subject, std::string_view message);

template <typename... Args>
void LogDebug(LogSubject subject, fmt::format_string<Args...> format, Args&&... args) {
  if (!LogEnabled(LogLevel::kDebug)) return;
  WriteLog(LogLevel::kDebug, subject, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void LogInfo(LogSubject subject, fmt::format_string<Args...> format, Args&&... args) {
  if (!LogEnabled(LogLevel::kInfo)) return;
  WriteLog(LogLevel::kInfo, subject, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void LogWarning(LogSubject subject, fmt::format_string<Args...> format, Args&&... args) {
  if (!LogEnabled(LogLevel::kWarning)) return;
  WriteLog(LogLevel::kWarning, subject, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void LogError(LogSubject subject, fmt::format_string<Args...> format, Args&&... args) {
  if (!LogEnabled(LogLevel::kError)) return;
  WriteLog(LogLevel::kError, subject, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace penstock
