#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace penstock {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };

// "debug", "info", "warning", "error"
std::optional<LogLevel> ParseLogLevel(std::string_view name);

// Records below it are dropped. Process-wide; kInfo until set.
void SetLogLevel(LogLevel level);
bool LogEnabled(LogLevel level);

// Writes one line to stderr: time (UTC), level, name of the pipe ("-" when `pipe` is empty),
// message. Control characters in the message are written as spaces, so that a record stays a line
// whatever it quotes. Safe from any thread. Never pass a secret.
void WriteLog(LogLevel level, std::string_view pipe, std::string_view message);

template <typename... Args>
void LogDebug(std::string_view pipe, fmt::format_string<Args...> format, Args&&... args) {
  if (!LogEnabled(LogLevel::kDebug)) return;
  WriteLog(LogLevel::kDebug, pipe, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void LogInfo(std::string_view pipe, fmt::format_string<Args...> format, Args&&... args) {
  if (!LogEnabled(LogLevel::kInfo)) return;
  WriteLog(LogLevel::kInfo, pipe, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void LogWarning(std::string_view pipe, fmt::format_string<Args...> format, Args&&... args) {
  if (!LogEnabled(LogLevel::kWarning)) return;
  WriteLog(LogLevel::kWarning, pipe, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void LogError(std::string_view pipe, fmt::format_string<Args...> format, Args&&... args) {
  if (!LogEnabled(LogLevel::kError)) return;
  WriteLog(LogLevel::kError, pipe, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace penstock
