#include "clickhouse/embedded_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/backoff.h"
#include "base/clock.h"

namespace penstock::clickhouse {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kPollInterval(20);
constexpr milliseconds kPortTimeout(5'000);
constexpr seconds kHealthyRun(10);
constexpr size_t kLogTailBytes = 1000;

Failure SystemFailure(std::string_view what, int error) {
  return Fail({.code = ErrorCode::kNeedsUser,
               .message = fmt::format("{}: {}", what, std::strerror(error)),
               .origin = "destination",
               .native_code = 0,
               .remedy = ""});
}

// A port of loopback that can be bound now: `port`, or any when that is 0.
Result<uint16_t> FreePort(uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return SystemFailure("socket", errno);
  const int yes = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = bind(socket, generic, size) == 0 && getsockname(socket, generic, &size) == 0;
  close(socket);
  if (!bound) {
    return Fail({.code = ErrorCode::kConflict,
                 .message = fmt::format("port {} for the embedded ClickHouse is taken", port),
                 .origin = "destination",
                 .native_code = 0,
                 .remedy = "Choose another port, or stop what listens there"});
  }
  return ntohs(address.sin_port);
}

// A server killed with its parent a moment ago may still be letting go of its port.
Result<uint16_t> AwaitFreePort(uint16_t port, milliseconds timeout, std::stop_token stop) {
  const SteadyTime deadline = Clock::Real().Steady() + std::min(timeout, kPortTimeout);
  while (true) {
    Result<uint16_t> free = FreePort(port);
    if (free || free.error().code != ErrorCode::kConflict) return free;
    if (Clock::Real().Steady() > deadline) return free;
    if (!Clock::Real().Wait(kPollInterval, stop)) return Fail(ErrorCode::kCancelled, "cancelled");
  }
}

Result<std::string> FindHelper() {
  const char* named = std::getenv("PENSTOCK_CLICKHOUSE_HELPER");
  std::error_code failed;
  const fs::path path =
      named != nullptr && *named != '\0'
          ? fs::path(named)
          : fs::read_symlink("/proc/self/exe", failed).parent_path() / "penstock-clickhouse";
  if (!failed && fs::exists(path, failed)) return path.string();
  return Fail({.code = ErrorCode::kNeedsUser,
               .message = fmt::format("the helper executable {} does not exist", path.string()),
               .origin = "destination",
               .native_code = 0,
               .remedy = "Install it beside penstock (`make build` makes both), or name it in "
                         "PENSTOCK_CLICKHOUSE_HELPER"});
}

std::string Tail(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto size = static_cast<size_t>(std::max<std::streamoff>(file.tellg(), 0));
  std::string tail(std::min(size, kLogTailBytes), '\0');
  file.seekg(static_cast<std::streamoff>(size - tail.size()));
  file.read(tail.data(), static_cast<std::streamsize>(tail.size()));
  while (!tail.empty() && tail.back() == '\n') tail.pop_back();
  std::replace(tail.begin(), tail.end(), '\n', ' ');
  return tail;
}

// Waits for the child until the deadline; whether it has ended (and is reaped).
bool Reap(pid_t pid, SteadyTime deadline) {
  while (true) {
    if (waitpid(pid, nullptr, WNOHANG) != 0) return true;
    if (Clock::Real().Steady() > deadline) return false;
    Clock::Real().Wait(kPollInterval, {});
  }
}

void Terminate(pid_t pid, milliseconds timeout) {
  kill(pid, SIGTERM);
  if (Reap(pid, Clock::Real().Steady() + timeout)) return;
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

Endpoint LoopbackEndpoint(uint16_t port) {
  Endpoint endpoint;
  endpoint.url = fmt::format("http://127.0.0.1:{}", port);
  return endpoint;
}

}  // namespace

EmbeddedServer::EmbeddedServer(Options options, std::string helper)
    : options_(std::move(options)),
      helper_(std::move(helper)),
      endpoint_(LoopbackEndpoint(options_.http_port)),
      watcher_([this](std::stop_token stop) { Watch(stop); }) {}

EmbeddedServer::~EmbeddedServer() {
  watcher_.request_stop();
  watcher_.join();
}

Result<std::unique_ptr<EmbeddedServer>> EmbeddedServer::Start(Options options,
                                                              std::stop_token stop) {
  PENSTOCK_ASSIGN(std::string helper, FindHelper());
  PENSTOCK_ASSIGN(options.http_port, AwaitFreePort(options.http_port, options.start_timeout, stop));
  PENSTOCK_ASSIGN(options.tcp_port, AwaitFreePort(options.tcp_port, options.start_timeout, stop));
  std::error_code failed;
  fs::create_directories(options.data_dir, failed);
  if (failed) return SystemFailure(options.data_dir, failed.value());
  std::unique_ptr<EmbeddedServer> server(new EmbeddedServer(std::move(options), std::move(helper)));
  PENSTOCK_TRY(server->WaitUntilReady(stop));
  return server;
}

Status EmbeddedServer::WaitUntilReady(std::stop_token stop) {
  const SteadyTime deadline = Clock::Real().Steady() + options_.start_timeout;
  Client client(endpoint_);
  while (true) {
    if (client.Ping(stop)) return {};
    {
      MutexLock lock(mutex_);
      if (!failure_.empty()) {
        return Fail({.code = ErrorCode::kNeedsUser,
                     .message = "the embedded ClickHouse does not start: " + failure_,
                     .origin = "destination",
                     .native_code = 0,
                     .remedy = "See " + LogPath()});
      }
    }
    if (Clock::Real().Steady() > deadline) {
      return Fail({.code = ErrorCode::kRetry,
                   .message = fmt::format("the embedded ClickHouse does not answer within {} ms",
                                          options_.start_timeout.count()),
                   .origin = "destination",
                   .native_code = 0,
                   .remedy = "See " + LogPath()});
    }
    if (!Clock::Real().Wait(kPollInterval, stop)) return Fail(ErrorCode::kCancelled, "cancelled");
  }
}

pid_t EmbeddedServer::pid() const {
  MutexLock lock(mutex_);
  return pid_;
}

uint64_t EmbeddedServer::restarts() const {
  MutexLock lock(mutex_);
  return starts_ > 1 ? starts_ - 1 : 0;
}

std::string EmbeddedServer::LogPath() const { return options_.data_dir + "/server.log"; }

// The child goes on appending to its open file: so that one is copied and emptied, not renamed.
// What is written between the two is lost.
void EmbeddedServer::LimitLog() const {
  std::error_code failed;
  const std::string path = LogPath();
  const uint64_t bytes = fs::file_size(path, failed);
  if (failed || bytes <= options_.log_bytes_max) return;
  fs::copy_file(path, path + ".1", fs::copy_options::overwrite_existing, failed);
  fs::resize_file(path, 0, failed);
}

// The child's "parent died" signal comes when the thread that made it ends: so this thread makes
// every child, and lives as long as the last.
void EmbeddedServer::Watch(std::stop_token stop) {
  Backoff backoff;
  while (!stop.stop_requested()) {
    const SteadyTime started = Clock::Real().Steady();
    const Result<pid_t> pid = Spawn();
    if (pid) {
      {
        MutexLock lock(mutex_);
        pid_ = *pid;
        ++starts_;
      }
      while (waitpid(*pid, nullptr, WNOHANG) == 0) {
        LimitLog();
        if (Clock::Real().Wait(kPollInterval, stop)) continue;
        Terminate(*pid, options_.stop_timeout);
        return;
      }
    }
    {
      MutexLock lock(mutex_);
      pid_ = 0;
      failure_ = pid ? Tail(LogPath()) : pid.error().ToString();
      if (failure_.empty()) failure_ = "it ended without a word";
    }
    if (Clock::Real().Steady() - started > kHealthyRun) backoff.Reset();
    Clock::Real().Wait(backoff.Next(), stop);
  }
}

Result<pid_t> EmbeddedServer::Spawn() const {
  std::array<std::string, 9> words = {helper_,
                                      "--data-dir",
                                      options_.data_dir,
                                      "--http-port",
                                      std::to_string(options_.http_port),
                                      "--tcp-port",
                                      std::to_string(options_.tcp_port),
                                      "--parent-pid",
                                      std::to_string(getpid())};
  std::array<char*, words.size() + 1> argv{};
  std::transform(words.begin(), words.end(), argv.begin(),
                 [](std::string& word) { return word.data(); });

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, LogPath().c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);

  // A process group of its own, so that Ctrl-C reaches penstock alone, which ends the server last;
  // and none of the signals that penstock's threads block.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);

  pid_t pid = 0;
  const int error = posix_spawn(&pid, helper_.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return SystemFailure(helper_, error);
  return pid;
}

}  // namespace penstock::clickhouse
