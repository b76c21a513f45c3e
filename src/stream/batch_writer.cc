#include "stream/batch_writer.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/backoff.h"
#include "base/random.h"
#include "obs/log.h"

namespace penstock::stream {

BatchWriter::BatchWriter(const std::vector<std::string>& targets, const StreamOptions& options)
    : targets_(targets), options_(options) {
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
      statuses[worker] = InsertTable(clients_[worker], batch.tables[i], failed.get_token());
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

Status BatchWriter::InsertTable(clickhouse::Client& client, const TableRows& rows,
                                std::stop_token stop) {
  Backoff backoff;
  while (true) {
    Status status = client.Insert(rows.block,
                                  {.database = options_.database,
                                   .table = targets_[rows.table],
                                   .query_id = "penstock-" + RandomUuid(),
                                   .deduplication_token = {},
                                   .compression = options_.compression,
                                   .settings = {}},
                                  stop);
    if (status) {
      if (backoff.attempts() != 0) options_.on_insert_retry(nullptr);
      return {};
    }
    const Error& error = status.error();
    if (error.code != ErrorCode::kRetry && error.code != ErrorCode::kUnknownOutcome) return status;
    options_.on_insert_retry(&error);
    LogWarning(options_.pipe_name, "insert into {}: {}; trying again", targets_[rows.table],
               error.ToString());
    if (!options_.clock->Wait(backoff.Next(), stop)) {
      return Fail(ErrorCode::kCancelled, "stopped");
    }
  }
}

}  // namespace penstock::stream
