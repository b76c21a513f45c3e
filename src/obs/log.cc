#include "obs/log.h"

#include <fcntl.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "obs/json_text.h"

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

const LevelName& NameOf(LogLevel level) { return kLevels[static_cast<size_t>(level)]; }

// Where lines go. Each is one write, so that several processes may share a file.
class LineSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void WriteTo(int file) {
    const std::lock_guard lock(mutex_);
    if (file_ != STDERR_FILENO) ::close(file_);
    file_ = file;
  }

 private:
  // What cannot be written (a full disk) is lost: there is nowhere to say so.
  void sink_it_(const spdlog::details::log_msg& record) override {
    spdlog::memory_buf_t line;
    formatter_->format(record, line);
    size_t written = 0;
    while (written < line.size()) {
      const ssize_t count = ::write(file_, line.data() + written, line.size() - written);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return;
      written += static_cast<size_t>(count);
    }
  }
  void flush_() override {}

  int file_ = STDERR_FILENO;
};

struct Log {
  std::shared_ptr<LineSink> sink = std::make_shared<LineSink>();
  spdlog::logger logger{"penstock", sink};
  std::atomic<LogFormat> format{LogFormat::kText};
};

Log& TheLog() {
  // Never destroyed: threads may log until the process is gone.
  static Log& log = [&]() -> Log& {
    auto* made = new Log;
    made->logger.set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
    made->logger.set_level(spdlog::level::info);
    return *made;
  }();
  return log;
}

std::string OneLine(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return line;
}

std::string AsText(LogLevel level, const LogSubject& subject, std::string_view message) {
  std::string line =
      fmt::format("{} {} {} ", FormatIso8601(Clock::Real().Wall()), NameOf(level).name,
                  OneLine(subject.pipe.empty() ? "-" : subject.pipe));
  if (!subject.table.empty()) line += fmt::format("[{}] ", OneLine(subject.table));
  return line + OneLine(message);
}

std::string AsJson(LogLevel level, const LogSubject& subject, std::string_view message) {
  std::string line = fmt::format(R"({{"time":"{}","level":"{}")",
                                 FormatIso8601(Clock::Real().Wall()), NameOf(level).name);
  if (!subject.pipe.empty()) line += ",\"pipe\":" + JsonText(subject.pipe);
  if (!subject.table.empty()) line += ",\"table\":" + JsonText(subject.table);
  return line + ",\"message\":" + JsonText(message) + "}";
}

}  // namespace

std::optional<LogLevel> ParseLogLevel(std::string_view name) {
  for (const LevelName& known : kLevels) {
    if (known.name == name) return known.level;
  }
  return std::nullopt;
}

std::optional<LogFormat> ParseLogFormat(std::string_view name) {
  if (name == "text") return LogFormat::kText;
  if (name == "json") return LogFormat::kJson;
  return std::nullopt;
}

void SetLogLevel(LogLevel level) { TheLog().logger.set_level(NameOf(level).spdlog_level); }

bool LogEnabled(LogLevel level) { return TheLog().logger.should_log(NameOf(level).spdlog_level); }

void SetLogFormat(LogFormat format) { TheLog().format = format; }

Status SetLogFile(const std::filesystem::path& file) {
  int opened = STDERR_FILENO;
  if (!file.empty()) opened = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (opened < 0) {
    return Fail(ErrorCode::kNeedsUser, "the log file {} cannot be opened: {}", file.string(),
                std::strerror(errno));
  }
  TheLog().sink->WriteTo(opened);
  return {};
}

void WriteLog(LogLevel level, LogSubject subject, std::string_view message) {
  Log& log = TheLog();
  const bool json = log.format == LogFormat::kJson;
  log.logger.log(NameOf(level).spdlog_level,
                 json ? AsJson(level, subject, message) : AsText(level, subject, message));
}

}  // namespace penstock
