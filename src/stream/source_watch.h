#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/status.h"
#include "mysql/wire/connection.h"
#include "mysql/wire/log_files.h"
#include "stream/stream.h"

namespace penstock::stream {

// Asks the source every few seconds, over a connection of its own, where its log ends and for how
// long it is kept, and tells the journal. What cannot be had, for want of a privilege or because
// the source does not answer, is left out: the stream itself tells of trouble.
class SourceWatch {
 public:
  // Both outlive it.
  SourceWatch(const StreamOptions& options, StreamJournal* journal);

  void Run(std::stop_token stop);

 private:
  Result<SourceLog> Ask(std::stop_token stop);

  const StreamOptions& options_;
  StreamJournal* const journal_;
  std::optional<mysql::Connection> connection_;
};

}  // namespace penstock::stream
