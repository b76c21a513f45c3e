#pragma once

#include <stop_token>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "clickhouse/client.h"
#include "stream/batch.h"
#include "stream/stream.h"

namespace penstock::stream {

// Inserts batches, one at a time, the tables of a batch in parallel over connections it keeps: so a
// table never has more than one insert in flight. One thread calls.
class BatchWriter {
 public:
  // Both outlive the writer.
  BatchWriter(const std::vector<std::string>& targets, const StreamOptions& options);

  // Answers when every insert of the batch is acknowledged. An insert that failed for a while, or
  // whose outcome is unknown, is sent again, the same bytes: equal versions of a key collapse.
  // kCancelled on stop; else the first error that does not pass.
  Status Write(const Batch& batch, std::stop_token stop);

 private:
  Status InsertTable(clickhouse::Client& client, const TableRows& rows, std::stop_token stop);

  const std::vector<std::string>& targets_;
  const StreamOptions& options_;
  std::vector<clickhouse::Client> clients_;
};

}  // namespace penstock::stream
