#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "clickhouse/client.h"
#include "pipe/spec.h"
#include "snapshot/load.h"
#include "stream/stream.h"

namespace penstock::pipe {

// What the stream and the load of a pipe are made of, by its spec and by what the catalog has of
// its tables (in the order of the spec's).

// What is worth another attempt after a while.
bool Passes(ErrorCode code);

// A table that keeps every change, beside the stream: no version would heal what a load and the
// stream both saw.
bool IsLoadedInSnapshot(const PipeSpec& spec, size_t table);

std::vector<stream::StreamTable> StreamTables(const PipeSpec& spec,
                                              const std::vector<catalog::TableRecord>& tables);

stream::StreamStart StartOf(const catalog::Checkpoint& checkpoint,
                            const std::vector<catalog::TableRecord>& tables);

// `partitions`: of all tables, in their order. kNotFound when the spec is of other tables.
Result<std::vector<snapshot::LoadTable>> LoadTables(
    const PipeSpec& spec, const std::vector<catalog::TableRecord>& tables,
    std::vector<catalog::PartitionRecord> partitions);

// Asks the destination what became of inserts on record. Call while nothing writes their tables. A
// table that is gone or cannot be asked may come back with the rows: its insert stays on record,
// and it must not be written; these are answered.
struct UnsettledInsert {
  int64_t table_id = 0;
  Error error;
};
Result<std::vector<UnsettledInsert>> SettleInserts(
    catalog::Catalog& catalog, const std::vector<catalog::InsertRecord>& inserts,
    const clickhouse::Endpoint& destination, const std::string& database, Clock& clock,
    std::stop_token stop);

// Of the transaction that comes next after the checkpoint what the table has.
std::optional<model::TransactionPart> PartAfter(const catalog::Checkpoint& checkpoint,
                                                int64_t table_id);

// Above every version in the tables that are written. The catalog may be an old copy: what is in
// the destination counts as well.
Result<uint64_t> FirstFreeVersion(const clickhouse::Endpoint& destination,
                                  const std::string& database,
                                  const std::vector<catalog::TableRecord>& tables,
                                  std::stop_token stop);

// The process's memory, of which a pipe gets shares.
struct MemoryLimits {
  uint64_t bytes = 0;
  uint64_t share_bytes_min = 0;
  MemoryBudget* streams = &MemoryBudget::Unlimited();  // outlive the pipe
  MemoryBudget* snapshots = &MemoryBudget::Unlimited();
};

// All but the clock and who is to be called.
snapshot::LoaderOptions LoaderOptionsFor(const PipeSpec& spec,
                                         const clickhouse::Endpoint& destination,
                                         const MemoryLimits& memory,
                                         const std::vector<snapshot::LoadTable>& tables,
                                         const catalog::Checkpoint& checkpoint);
// Where a retry beside the stream that has this folder holds prepared transactions.
std::filesystem::path RetryFolder(std::filesystem::path prepared_folder);
// Of a retry beside the stream with these: a replica of its own to the source.
stream::StreamOptions RetryOptionsFor(stream::StreamOptions options, const std::string& pipe_id);
stream::StreamOptions StreamOptionsFor(const PipeSpec& spec, const std::string& pipe_id,
                                       const clickhouse::Endpoint& destination,
                                       const MemoryLimits& memory);

}  // namespace penstock::pipe
