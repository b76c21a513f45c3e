#include "obs/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <memory>
#include <string>

namespace penstock {
namespace {

struct LevelName {
  LogLevel level;
  std::string_view name;
  spdlog::level::level_enum spdlog_level;
};
constexpr std::array kLevels = {
    LevelName{LogLevel::kDebug, "debug", spdlog::level::debug},
    LevelName{LogLevel::kInfo, "info", spdlog::level::info},
    LevelName{LogLevel::kWarning, "warning", spdlog::level::warn},
    LevelName{LogLevel::kError, "error", spdlog::level::err},
};

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  return kLevels[static_cast<size_t>(level)].spdlog_level;
}

spdlog::logger& Logger() {
  // Never destroyed: threads may log until the process is gone.
  static spdlog::logger& logger = [&]() -> spdlog::logger& {
    auto* made = new spdlog::logger("penstock", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc));
    made->set_level(spdlog::level::info);
    return *made;
  }();
  return logger;
}

std::string OneLine(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return line;
}

}  // namespace

std::optional<LogLevel> ParseLogLevel(std::string_view name) {
  for (const LevelName& known : kLevels) {
    if (known.name == name) return known.level;
  }
  return std::nullopt;
}

void SetLogLevel(LogLevel level) { Logger().set_level(ToSpdlog(level)); }

bool LogEnabled(LogLevel level) { return Logger().should_log(ToSpdlog(level)); }

void WriteLog(LogLevel level, std::string_view pipe, std::string_view message) {
  Logger().log(ToSpdlog(level), "{} {}", OneLine(pipe.empty() ? "-" : pipe), OneLine(message));
}

}  // namespace penstock
