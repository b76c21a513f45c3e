#pragma once

#include <cstdint>
#include <deque>
#include <stop_token>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "mysql/wire/connection.h"

namespace penstock::mysql {

// Sessions whose connections were shut down in the middle of a call. The server notices that when
// it next writes to them: which it may not do for as long as one waits for a lock, or computes.
// Safe from any thread.
class CutSessions {
 public:
  struct Cut {
    uint64_t session;      // the server's number
    uint16_t client_port;  // of the connection; 0: a unix socket
    SteadyTime at = Clock::Real().Steady();
  };
  void Add(Cut cut) EXCLUDES(mutex_);
  // Those of the last two minutes, no more than 256: after that long the server has ended them by
  // itself. They are forgotten.
  std::deque<Cut> Take() EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  std::deque<Cut> cuts_ GUARDED_BY(mutex_);
};

// Has the server end those of endpoint.cut_sessions. It lets every user end his own sessions. After
// a restart or a failover a number is somebody else's: so it must come from the same port as ours.
Status EndCutSessions(const Endpoint& endpoint, std::string_view purpose, std::stop_token stop);

}  // namespace penstock::mysql
