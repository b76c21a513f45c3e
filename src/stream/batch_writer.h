#pragma once

#include <atomic>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "clickhouse/client.h"
#include "clickhouse/table_writes.h"
#include "stream/batch.h"
#include "stream/brake.h"
#include "stream/stream.h"

namespace penstock::stream {

// Whether each change is in the table once, whatever happens.
bool KeepsEachOnce(const StreamTable& table);

// The versions of the rows, which ascend, and their number.
clickhouse::VersionedRows VersionsOf(const clickhouse::Block& block);

// Inserts batches, one at a time, the tables of a batch in parallel over connections it keeps: so a
// table never has more than one insert in flight. One thread calls.
class BatchWriter {
 public:
  // All outlive the writer.
  BatchWriter(const std::vector<StreamTable>& tables, const StreamOptions& options, Brake& brake);

  // Answers when every insert of the batch is acknowledged, or has failed for good with an error
  // that concerns its table alone: those are returned. An insert that failed for a while, or whose
  // outcome is unknown, is sent again, the same bytes: equal versions of a key collapse, and a
  // table that keeps every change is asked first. kCancelled on stop; else the first error that
  // does not pass and concerns more than one table.
  struct TableError {
    size_t table = 0;
    Error error;
  };
  Result<std::vector<TableError>> Write(const Batch& batch, std::stop_token stop);

  // Empties the table, after the inserts that were sent; tried until it succeeds, or fails for
  // good.
  Status Truncate(size_t table, std::stop_token stop);

  // Adds the columns to the table; likewise. kConflict where only a resync gives older rows what
  // the source has in them.
  Status AddColumns(size_t table, const std::vector<clickhouse::NewColumn>& columns,
                    std::stop_token stop);

  // The shards whose old_target lacks a write, since it failed for good: what is next is not to be
  // written there.
  std::vector<size_t> TakeStale() EXCLUDES(stale_mutex_);

  // Has rows that were deleted removed, between two batches. What fails is logged.
  void CleanUp(size_t table, std::stop_token stop);

  // Inserts one block of rows of one table. Gives up after some attempts (kRetry,
  // kUnknownOutcome): the source is kept waiting meanwhile.
  Status InsertReread(size_t table, const clickhouse::Block& block, std::stop_token stop);

 private:
  Status Insert(clickhouse::Client& client, size_t table, const clickhouse::Block& block,
                int attempts_max, std::stop_token stop);
  Status InsertOnce(clickhouse::Client& client, size_t table, const clickhouse::Block& block,
                    int attempts_max, std::stop_token stop);
  Status ForEachTarget(size_t table, int attempts_max,
                       const std::function<Status(const std::string& target)>& write,
                       std::stop_token stop);
  // The error of an insert that was tried `attempts` times; `others` were written meanwhile.
  static Error Lasting(Error error, int attempts, bool others);
  Status Retry(size_t table, const std::string& target, int attempts_max,
               const std::function<Status()>& attempt, std::stop_token stop);
  std::string NameOf(size_t table) const { return tables_[table].definition.name.ToString(); }
  std::optional<clickhouse::Shard> ShardOf(size_t table) const {
    return typemap::ShardOf(tables_[table].definition, tables_[table].target_options);
  }

  const std::vector<StreamTable>& tables_;
  const StreamOptions& options_;
  Brake& brake_;
  std::atomic<uint64_t> writes_{0};  // that succeeded
  Mutex stale_mutex_;
  std::vector<size_t> stale_ GUARDED_BY(stale_mutex_);
  std::vector<clickhouse::Client> clients_;
};

}  // namespace penstock::stream
