#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>

#include "api/http_server.h"
#include "pipe/supervisor.h"

namespace penstock::api {

// Streams of server-sent events that tell of a pipe's status: an event "status" at once and
// whenever it has changed, looked at every second; "gone" at the end, when the pipe is. Each keeps
// a thread of the server, so there are only so many. Safe from any thread.
class StatusStreams {
 public:
  static constexpr size_t kStreamsMax = 16;

  // `supervisor` outlives the streams, which `stop` ends.
  StatusStreams(const pipe::Supervisor& supervisor, std::stop_token stop)
      : supervisor_(supervisor), stop_(std::move(stop)) {}

  // An error answer where there is no such pipe, or no room.
  HttpResponse Open(const std::string& pipe_id, size_t tables_max) const;

 private:
  const pipe::Supervisor& supervisor_;
  const std::stop_token stop_;
  const std::shared_ptr<std::atomic<size_t>> open_ = std::make_shared<std::atomic<size_t>>(0);
};

}  // namespace penstock::api
