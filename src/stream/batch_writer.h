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
  BatchWriter(const std::vector<StreamTable>& tables, const StreamOptions& options);

  // Answers when every insert of the batch is acknowledged. An insert that failed for a while, or
  // whose outcome is unknown, is sent again, the same bytes: equal versions of a key collapse.
  // kCancelled on stop; else the first error that does not pass.
  Status Write(const Batch& batch, std::stop_token stop);

  // Inserts one block of rows of one table. Gives up after some attempts (kRetry,
  // kUnknownOutcome): the source is kept waiting meanwhile.
  Status InsertReread(size_t table, const clickhouse::Block& block, std::stop_token stop);

 private:
  Status Insert(clickhouse::Client& client, size_t table, const clickhouse::Block& block,
                int attempts_max, std::stop_token stop);

  const std::vector<StreamTable>& tables_;
  const StreamOptions& options_;
  std::vector<clickhouse::Client> clients_;
};

}  // namespace penstock::stream
