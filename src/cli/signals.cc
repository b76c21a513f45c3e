#include "cli/signals.h"

#include <unistd.h>

#include <ctime>

namespace penstock::cli {
namespace {

constexpr int kExitCodeInterrupted = 130;

}  // namespace

StopOnSignals::StopOnSignals() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  thread_ = std::thread([this] { Watch(); });
}

StopOnSignals::~StopOnSignals() {
  ending_.request_stop();
  pthread_kill(thread_.native_handle(), SIGINT);  // wakes it
  thread_.join();
}

void StopOnSignals::Watch() {
  for (;;) {
    int number = 0;
    if (sigwait(&signals_, &number) != 0) continue;
    if (ending_.stop_requested()) return;
    if (stop_.stop_requested()) _exit(kExitCodeInterrupted);
    stop_.request_stop();
  }
}

}  // namespace penstock::cli
