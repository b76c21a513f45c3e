#include "cli/signals.h"

#include <unistd.h>

#include <ctime>

namespace penstock::cli {
namespace {

constexpr int kExitCodeInterrupted = 130;

}  // namespace

Signals::Signals() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  thread_ = std::thread([this] { Watch(); });
}

Signals::~Signals() {
  ending_.request_stop();
  pthread_kill(thread_.native_handle(), SIGINT);  // wakes it
  thread_.join();
}

void Signals::TakeHangups() {
  MutexLock lock(mutex_);
  takes_hangups_ = true;
}

bool Signals::AwaitHangup() {
  MutexLock lock(mutex_);
  const bool came = came_.wait(mutex_, stop(), [this]() REQUIRES(mutex_) { return hangup_; });
  hangup_ = false;
  return came && !stop_.stop_requested();
}

void Signals::Watch() {
  for (;;) {
    int number = 0;
    if (sigwait(&signals_, &number) != 0) continue;
    if (ending_.stop_requested()) return;
    if (number == SIGHUP && Hangup()) continue;
    if (stop_.stop_requested()) _exit(kExitCodeInterrupted);
    stop_.request_stop();
  }
}

bool Signals::Hangup() {
  MutexLock lock(mutex_);
  hangup_ = takes_hangups_;
  came_.notify_all();
  return takes_hangups_;
}

}  // namespace penstock::cli
