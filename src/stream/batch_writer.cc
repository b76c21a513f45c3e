#include "stream/batch_writer.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <optional>
#include <thread>
#include <utility>

#include "base/backoff.h"
#include "base/check.h"
#include "clickhouse/cleanup.h"
#include "clickhouse/errors.h"
#include "clickhouse/table_writes.h"
#include "obs/log.h"

namespace penstock::stream {
namespace {

constexpr int kForever = std::numeric_limits<int>::max();
constexpr int kRereadAttemptsMax = 6;
constexpr int kUnknownAttemptsMax = 6;         // some 10 s
constexpr int kUnknownAttemptsMaxAlone = 100;  // some 12 min

}  // namespace

bool KeepsEachOnce(const StreamTable& table) {
  return table.target_options.engine == clickhouse::Engine::kMergeTree;
}

clickhouse::VersionedRows VersionsOf(const clickhouse::Block& block) {
  const auto column =
      std::ranges::find(block.columns, clickhouse::VersionColumn(), &clickhouse::ColumnData::name);
  PENSTOCK_CHECK(block.rows != 0 && column != block.columns.end());
  clickhouse::VersionedRows rows{.database = {}, .table = {}, .count = block.rows};
  const std::string_view bytes = column->values.view();
  std::memcpy(&rows.begin, bytes.data(), sizeof(rows.begin));
  std::memcpy(&rows.end, bytes.data() + bytes.size() - sizeof(rows.end), sizeof(rows.end));
  ++rows.end;
  return rows;
}

BatchWriter::BatchWriter(const std::vector<StreamTable>& tables, const StreamOptions& options,
                         Brake& brake)
    : tables_(tables), options_(options), brake_(brake) {
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
  if (KeepsEachOnce(tables_[table])) {
    return InsertOnce(client, table, block, attempts_max, std::move(stop));
  }
  const auto shard = ShardOf(table);
  const auto insert = [&](const std::string& target) {
    return client.Insert(block,
                         {.database = options_.database,
                          .table = target,
                          .query_id = clickhouse::WriteQueryId(options_.database, target, shard),
                          .deduplication_token = {},
                          .session = {},
                          .settings = {}},
                         stop);
  };
  return ForEachTarget(table, attempts_max, insert, stop);
}

// Before an insert is sent again the table is asked. Where the server refused it (a materialized
// view failed, say), all of its rows may be in the table, and not in the views: they are taken
// away.
Status BatchWriter::InsertOnce(clickhouse::Client& client, size_t table,
                               const clickhouse::Block& block, int attempts_max,
                               std::stop_token stop) {
  const std::string& target = tables_[table].target;
  enum class Before { kNotSent, kUnknown, kRefused } before = Before::kNotSent;
  clickhouse::VersionedRows rows = VersionsOf(block);
  rows.database = options_.database;
  rows.table = target;
  const auto take_back = [&] {
    return clickhouse::RemoveInsert(client, rows, *options_.clock, stop);
  };
  bool is_given_up = false;
  const auto attempt = [&]() -> Status {
    if (before == Before::kRefused) PENSTOCK_TRY(take_back());
    if (before == Before::kUnknown) {
      PENSTOCK_ASSIGN(const bool is_there,
                      clickhouse::SettleInsert(client, rows, *options_.clock, stop));
      if (is_there) return {};
      if (*rows.send + 1 == clickhouse::kSendsMax) {
        is_given_up = true;
        return Fail(ErrorCode::kCancelled, "sent {} times", clickhouse::kSendsMax);
      }
    }
    rows.query_id = clickhouse::WriteQueryId(rows.database, target);
    if (before != Before::kRefused) rows.send = rows.send ? *rows.send + 1 : 0;
    before = Before::kUnknown;
    Status status = client.Insert(block,
                                  {.database = rows.database,
                                   .table = target,
                                   .query_id = rows.query_id,
                                   // Else a replicated table drops a block that equals another.
                                   .deduplication_token = rows.query_id,
                                   .session = clickhouse::InsertSession(client, rows),
                                   .settings = {}},
                                  stop);
    const bool refused = !status && status.error().native_code != 0 &&
                         status.error().code != ErrorCode::kUnknownOutcome;
    if (refused) before = Before::kRefused;
    return status;
  };
  Status status = Retry(table, target, attempts_max, attempt, stop);
  if (is_given_up) {
    return Fail(Error{.code = ErrorCode::kRetry,
                      .message = fmt::format("{} inserts into {} were sent and not answered",
                                             clickhouse::kSendsMax, target),
                      .origin = "destination",
                      .native_code = 0,
                      .remedy = {}});
  }
  if (!status && before == Before::kRefused && !stop.stop_requested()) {
    if (const Status taken_back = take_back(); !taken_back) {
      LogWarning({options_.pipe_name, NameOf(table)},
                 "{} may hold a part of an insert that failed: {}", target,
                 taken_back.error().ToString());
    }
  }
  return status;
}

Status BatchWriter::Truncate(size_t table, std::stop_token stop) {
  // A Null table has nothing that could go.
  if (tables_[table].target_options.engine == clickhouse::Engine::kNull) return {};
  const auto shard = ShardOf(table);
  const auto truncate = [&](const std::string& target) {
    if (shard) {
      return clickhouse::DeleteShard(clients_[0], options_.database, target, *shard,
                                     *options_.clock, stop);
    }
    return clickhouse::TruncateTable(clients_[0], options_.database, target, *options_.clock, stop);
  };
  return ForEachTarget(table, kForever, truncate, stop);
}

Status BatchWriter::AddColumns(size_t table, const std::vector<clickhouse::NewColumn>& columns,
                               std::stop_token stop) {
  const auto engine = tables_[table].target_options.engine;
  const auto add = [&](const std::string& target) -> Status {
    Status alike;
    if (engine != clickhouse::Engine::kNull) {  // which has no older rows
      alike = clickhouse::CheckDefaults(clients_[0], options_.database, target, columns, stop);
    }
    if (alike) return clickhouse::AddColumns(clients_[0], options_.database, target, columns, stop);
    if (alike.error().code != ErrorCode::kConflict || !clickhouse::KeepsEveryChange(engine)) {
      return alike;
    }
    // What a resync would take from it is nowhere else.
    alike.error().code = ErrorCode::kNeedsUser;
    alike.error().remedy =
        "Give the target's column the source's default (ALTER TABLE ... MODIFY COLUMN), then retry "
        "the table (penstock retry). A resync would drop the changes that the target keeps";
    return alike;
  };
  return ForEachTarget(table, kForever, add, stop);
}

std::vector<size_t> BatchWriter::TakeStale() {
  MutexLock lock(stale_mutex_);
  return std::exchange(stale_, {});
}

void BatchWriter::CleanUp(size_t table, std::stop_token stop) {
  const StreamTable& cleaned = tables_[table];
  if (clickhouse::KeepsEveryChange(cleaned.target_options.engine)) return;
  const auto key = typemap::SortingKey(cleaned.definition, cleaned.target_options);
  if (!key) return;
  const Status done = clickhouse::RemoveDeleted(clients_[0], options_.database, cleaned.target,
                                                {.key = *key, .shard = ShardOf(table)},
                                                *options_.clock, std::move(stop));
  if (done) return;
  LogWarning({options_.pipe_name, NameOf(table)}, "deleted rows stay in {}: {}", cleaned.target,
             done.error().ToString());
}

Status BatchWriter::ForEachTarget(size_t table, int attempts_max,
                                  const std::function<Status(const std::string&)>& write,
                                  std::stop_token stop) {
  const std::string& target = tables_[table].target;
  PENSTOCK_TRY(Retry(
      table, target, attempts_max, [&] { return write(target); }, stop));
  const std::string& old_target = tables_[table].old_target;
  if (old_target.empty()) return {};
  Status written = Retry(
      table, old_target, attempts_max, [&] { return write(old_target); }, stop);
  if (written || !clickhouse::ConcernsOneTable(written.error())) return written;
  // It will be replaced anyway; but a shard may have to go on with it, when another's load fails.
  if (ShardOf(table)) {
    MutexLock lock(stale_mutex_);
    stale_.push_back(table);
  }
  LogWarning({options_.pipe_name, NameOf(table)}, "{} is not fresh any more: {}", old_target,
             written.error().ToString());
  return {};
}

// What is not known to pass, a view that cannot divide by zero say, holds up the other tables: not
// for long while these can be written, and not for ever.
Error BatchWriter::Lasting(Error error, int attempts, bool others) {
  const bool is_known = error.native_code == 0 || clickhouse::IsKnownException(error.native_code);
  if (is_known || attempts < (others ? kUnknownAttemptsMax : kUnknownAttemptsMaxAlone)) {
    return error;
  }
  error.code = ErrorCode::kNeedsUser;
  error.remedy =
      "Mend what the message tells of (a materialized view on the table, perhaps); then "
      "resync the table";
  return error;
}

Status BatchWriter::Retry(size_t table, const std::string& target, int attempts_max,
                          const std::function<Status()>& attempt, std::stop_token stop) {
  Backoff backoff;
  const uint64_t writes_before = writes_;
  while (true) {
    Status status = attempt();
    if (status) {
      ++writes_;
      if (backoff.attempts() != 0) options_.on_insert_retry(nullptr);
      return {};
    }
    const Error error =
        Lasting(std::move(status).error(), backoff.attempts() + 1, writes_ != writes_before);
    if (error.native_code == clickhouse::kErrTooManyParts) brake_.TooManyParts();
    status = Fail(error);
    if (error.code != ErrorCode::kRetry && error.code != ErrorCode::kUnknownOutcome) return status;
    if (backoff.attempts() + 1 >= attempts_max) return status;
    options_.on_insert_retry(&error);
    LogWarning({options_.pipe_name, NameOf(table)}, "writing {}: {}; trying again", target,
               error.ToString());
    if (!options_.clock->Wait(backoff.Next(), stop)) {
      return Fail(ErrorCode::kCancelled, "stopped");
    }
  }
}

}  // namespace penstock::stream
