#include "stream/batch_writer.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <thread>

#include "base/backoff.h"
#include "base/random.h"
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

Status BatchWriter::Write(const Batch& batch, std::stop_token stop) {
  std::stop_source failed;
  std::stop_callback forward(stop, [&failed] { failed.request_stop(); });
  std::atomic<size_t> next{0};
  std::vector<Status> statuses(std::min(clients_.size(), batch.tables.size()));
  const auto work = [&](size_t worker) {
    for (size_t i = next++; i < batch.tables.size() && statuses[worker]; i = next++) {
      const TableRows& rows = batch.tables[i];
      statuses[worker] =
          Insert(clients_[worker], rows.table, rows.block, kForever, failed.get_token());
    }
    if (!statuses[worker]) failed.request_stop();
  };
  {
    std::vector<std::jthread> threads;
    for (size_t worker = 1; worker < statuses.size(); ++worker) threads.emplace_back(work, worker);
    if (!statuses.empty()) work(0);
  }
  // The failure that stopped the others, not their cancellation.
  Status first;
  for (Status& status : statuses) {
    if (!status && (first || first.error().code == ErrorCode::kCancelled)) {
      first = std::move(status);
    }
  }
  return first;
}

Status BatchWriter::InsertReread(size_t table, const clickhouse::Block& block,
                                 std::stop_token stop) {
  return Insert(clients_[0], table, block, kRereadAttemptsMax, std::move(stop));
}

Status BatchWriter::Insert(clickhouse::Client& client, size_t table, const clickhouse::Block& block,
                           int attempts_max, std::stop_token stop) {
  if (block.rows == 0) return {};
  const std::string& target = tables_[table].target;
  Backoff backoff;
  while (true) {
    Status status = client.Insert(block,
                                  {.database = options_.database,
                                   .table = target,
                                   .query_id = "penstock-" + RandomUuid(),
                                   .deduplication_token = {},
                                   .settings = {}},
                                  stop);
    if (status) {
      if (backoff.attempts() != 0) options_.on_insert_retry(nullptr);
      return {};
    }
    const Error& error = status.error();
    if (error.code != ErrorCode::kRetry && error.code != ErrorCode::kUnknownOutcome) return status;
    if (backoff.attempts() + 1 >= attempts_max) return status;
    options_.on_insert_retry(&error);
    LogWarning(options_.pipe_name, "insert into {}: {}; trying again", target, error.ToString());
    if (!options_.clock->Wait(backoff.Next(), stop)) {
      return Fail(ErrorCode::kCancelled, "stopped");
    }
  }
}

}  // namespace penstock::stream
