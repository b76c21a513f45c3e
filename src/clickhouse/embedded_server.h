#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "base/mutex.h"
#include "base/status.h"
#include "clickhouse/client.h"

namespace penstock::clickhouse {

// A ClickHouse server of our own: a child process of the helper executable penstock-clickhouse, on
// loopback only, its data and its output (server.log, and before that server.log.1) in one folder.
//
// It is watched from Start to destruction: when it dies it is started again on the same ports, with
// growing pauses. It dies with this process, however that ends. Safe from any thread.
class EmbeddedServer {
 public:
  struct Options {
    std::string data_dir;    // made if absent
    uint16_t http_port = 0;  // 0: a free one
    uint16_t tcp_port = 0;   // the native protocol, for clickhouse-client; 0: a free one
    std::chrono::milliseconds start_timeout{60'000};
    std::chrono::milliseconds stop_timeout{5'000};  // then it is killed
    uint64_t log_bytes_max = 16 << 20;              // of each of the two files of its output
  };

  // Returns once it answers. kNeedsUser with the server's own words where it ends at once (no
  // libchdb, no helper), kConflict where a port is taken, kRetry after the timeout.
  static Result<std::unique_ptr<EmbeddedServer>> Start(Options options, std::stop_token stop);

  // Ends the server and waits for that.
  ~EmbeddedServer();

  const Endpoint& endpoint() const { return endpoint_; }
  uint16_t tcp_port() const { return options_.tcp_port; }

  // Whether its process runs now; 0 while it does not.
  pid_t pid() const EXCLUDES(mutex_);
  // How often it has been started again.
  uint64_t restarts() const EXCLUDES(mutex_);

 private:
  EmbeddedServer(Options options, std::string helper);

  Status WaitUntilReady(std::stop_token stop);
  void Watch(std::stop_token stop);
  Result<pid_t> Spawn() const;
  std::string LogPath() const;
  void LimitLog() const;

  const Options options_;
  const std::string helper_;  // path of the executable
  const Endpoint endpoint_;

  mutable Mutex mutex_;
  pid_t pid_ GUARDED_BY(mutex_) = 0;
  uint64_t starts_ GUARDED_BY(mutex_) = 0;
  std::string failure_ GUARDED_BY(mutex_);  // why it ended last; empty: it never did

  std::jthread watcher_;  // the last member: it uses the others
};

}  // namespace penstock::clickhouse
