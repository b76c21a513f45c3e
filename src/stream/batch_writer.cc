#include "stream/batch_writer.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <optional>
#include <thread>

#include "base/backoff.h"
#include "clickhouse/errors.h"
#include "clickhouse/table_writes.h"
#include "obs/log.h"

namespace penstock::stream {
namespace {

constexpr int kForever = std::numeric_limits<int>::max();
constexpr int kRereadAttemptsMax = 6;

}  // namespace

BatchWriter::BatchWriter(const std::vector<StreamTable>& tables, const StreamOptions& options)
    : tables_(tables), options_(options) {
  for (uint32_t i = 0; i < options.parallel_inserts; ++i)
    clients_.emplace_back(options.destination);
}

Result<std::vector<BatchWriter::TableError>> BatchWriter::Write(const Batch& batch,
                                                                std::stop_token stop) {
  std::stop_source failed;
  std::stop_callback forward(stop, [&failed] { failed.request_stop(); });
  std::atomic<size_t> next{0};
  std::vector<Status> statuses(batch.tables.size());
  const auto work = [&](size_t worker) {
    for (size_t i = next++; i < batch.tables.size(); i = next++) {
      const TableRows& rows = batch.tables[i];
      statuses[i] = Insert(clients_[worker], rows.table, rows.block, kForever, failed.get_token());
      if (!statuses[i] && !clickhouse::ConcernsOneTable(statuses[i].error())) failed.request_stop();
    }
  };
  {
    std::vector<std::jthread> threads;
    const size_t workers = std::min(clients_.size(), batch.tables.size());
    for (size_t worker = 1; worker < workers; ++worker) threads.emplace_back(work, worker);
    if (workers != 0) work(0);
  }
  // The failure that stopped the others, not their cancellation.
  std::vector<TableError> errors;
  std::optional<Error> first;
  for (size_t i = 0; i < statuses.size(); ++i) {
    if (statuses[i]) continue;
    Error& error = statuses[i].error();
    if (clickhouse::ConcernsOneTable(error)) {
      errors.push_back({batch.tables[i].table, std::move(error)});
    } else if (!first || first->code == ErrorCode::kCancelled) {
      first = std::move(error);
    }
  }
  if (first) return Fail(*std::move(first));
  return errors;
}

Status BatchWriter::InsertReread(size_t table, const clickhouse::Block& block,
                                 std::stop_token stop) {
  return Insert(clients_[0], table, block, kRereadAttemptsMax, std::move(stop));
}

Status BatchWriter::Insert(clickhouse::Client& client, size_t table, const clickhouse::Block& block,
                           int attempts_max, std::stop_token stop) {
  if (block.rows == 0) return {};
  const auto insert = [&](const std::string& target) {
    return client.Insert(block,
                         {.database = options_.database,
                          .table = target,
                          .query_id = clickhouse::WriteQueryId(options_.database, target),
                          .deduplication_token = {},
                          .settings = {}},
                         stop);
  };
  return ForEachTarget(table, attempts_max, insert, stop);
}

Status BatchWriter::Truncate(size_t table, std::stop_token stop) {
  // A Null table has nothing that could go.
  if (tables_[table].target_options.engine == clickhouse::Engine::kNull) return {};
  const auto truncate = [&](const std::string& target) {
    return clickhouse::TruncateTable(clients_[0], options_.database, target, *options_.clock, stop);
  };
  return ForEachTarget(table, kForever, truncate, stop);
}

Status BatchWriter::ForEachTarget(size_t table, int attempts_max,
                                  const std::function<Status(const std::string&)>& write,
                                  std::stop_token stop) {
  const std::string& target = tables_[table].target;
  PENSTOCK_TRY(Retry(
      target, attempts_max, [&] { return write(target); }, stop));
  const std::string& old_target = tables_[table].old_target;
  if (old_target.empty()) return {};
  Status written = Retry(
      old_target, attempts_max, [&] { return write(old_target); }, stop);
  if (written || !clickhouse::ConcernsOneTable(written.error())) return written;
  // It will be replaced anyway.
  LogWarning(options_.pipe_name, "{} is not fresh any more: {}", old_target,
             written.error().ToString());
  return {};
}

Status BatchWriter::Retry(const std::string& target, int attempts_max,
                          const std::function<Status()>& attempt, std::stop_token stop) {
  Backoff backoff;
  while (true) {
    Status status = attempt();
    if (status) {
      if (backoff.attempts() != 0) options_.on_insert_retry(nullptr);
      return {};
    }
    const Error& error = status.error();
    if (error.code != ErrorCode::kRetry && error.code != ErrorCode::kUnknownOutcome) return status;
    if (backoff.attempts() + 1 >= attempts_max) return status;
    options_.on_insert_retry(&error);
    LogWarning(options_.pipe_name, "writing {}: {}; trying again", target, error.ToString());
    if (!options_.clock->Wait(backoff.Next(), stop)) {
      return Fail(ErrorCode::kCancelled, "stopped");
    }
  }
}

}  // namespace penstock::stream
