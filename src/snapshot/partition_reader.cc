#include "snapshot/partition_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/backoff.h"
#include "clickhouse/table_writes.h"
#include "mysql/wire/binary_row.h"
#include "mysql/wire/start_position.h"
#include "mysql/wire/table_read.h"

namespace penstock::snapshot {
namespace {

// An insert that fails this often in a row gives its partition up to be read anew: the source
// connection behind it would otherwise wait until the server drops it. A snapshot, which cannot be
// had again, takes that risk.
constexpr int kInsertAttemptsMax = 6;

constexpr char kSavepoint[] = "SAVEPOINT penstock";
constexpr char kToSavepoint[] = "ROLLBACK TO SAVEPOINT penstock";

Boundary KeyOf(const LoadTable& table, model::Row row) {
  Boundary boundary;
  for (const size_t index : table.range_key.columns) {
    boundary.push_back(mysql::KeyLiteral(table.definition.columns[index], row[index]));
  }
  return boundary;
}

// `to_read`: the definition as the row decoder has it. Slices are cut in the order of the key.
std::string SelectRows(const LoadTable& table, const model::Table& to_read,
                       const Partition& partition, std::optional<uint64_t> slice_rows,
                       const std::string& pipe_name) {
  const std::vector<size_t>& columns = table.range_key.columns;
  const std::string condition =
      RangeCondition(table.definition, columns, partition.lower, partition.upper);
  std::string sql = fmt::format("{}SELECT {} FROM {}{}{}", mysql::QueryComment(pipe_name),
                                mysql::SelectList(to_read),
                                mysql::FromClause(to_read.name, table.range_key.index),
                                condition.empty() ? "" : " WHERE ", condition);
  if (!slice_rows) return sql;
  std::string order;
  for (const size_t index : columns) {
    order += (order.empty() ? "" : ",") + mysql::QuoteIdentifier(to_read.columns[index].name);
  }
  return sql + fmt::format(" ORDER BY {} LIMIT {}", order, *slice_rows);
}

}  // namespace

PartitionReader::PartitionReader(const LoaderOptions& options, Throttle& throttle,
                                 std::optional<mysql::Connection> in_snapshot)
    : options_(options),
      throttle_(throttle),
      in_snapshot_(in_snapshot.has_value()),
      source_(std::move(in_snapshot)),
      destination_(options.destination) {}

Result<PartitionReader::Rows> PartitionReader::Load(const LoadTable& table,
                                                    const Partition& partition,
                                                    std::optional<uint64_t> slice_rows,
                                                    uint64_t version, const OnRows& on_rows,
                                                    std::stop_token stop) {
  auto rows = Begin(table.definition, stop).and_then([&] {
    return ReadRows(table, partition, slice_rows, version, on_rows, stop);
  });
  // After a failure rows may be left unread, but not after the source's own.
  const bool is_read = rows || (in_snapshot_ && rows.error().origin == "source");
  if (!is_read || !source_->Execute(in_snapshot_ ? kToSavepoint : "ROLLBACK", stop))
    source_.reset();
  return rows;
}

// In a snapshot the way back to the savepoint lets the table's metadata lock go.
Status PartitionReader::Begin(const model::Table& table, std::stop_token stop) {
  const std::string comment = mysql::QueryComment(options_.pipe_name);
  if (in_snapshot_) {
    if (!source_) return Fail(ErrorCode::kRetry, "the snapshot of the source is lost");
    PENSTOCK_TRY(throttle_.AwaitCalm(*source_, options_.on_retry, stop));
    PENSTOCK_TRY(source_->Execute(kSavepoint, stop));
    return mysql::PinDefinition(*source_, table, comment, stop);
  }
  if (!source_) {
    PENSTOCK_ASSIGN(source_, Connect(stop));
  }
  PENSTOCK_TRY(throttle_.AwaitCalm(*source_, options_.on_retry, stop));
  return mysql::BeginRead(*source_, table, comment, stop);
}

Result<mysql::Connection> PartitionReader::Connect(std::stop_token stop) {
  PENSTOCK_ASSIGN(auto connection,
                  mysql::Connection::Open(options_.source, options_.pipe_name + " snapshot", stop));
  PENSTOCK_TRY(connection.Execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", stop));
  for (const model::Position& start : options_.start_positions) {
    PENSTOCK_ASSIGN(const bool executed, mysql::HasExecuted(connection, start, stop));
    if (!executed) {
      return Fail(ErrorCode::kRetry,
                  "the source server that answered has not executed the start position {}",
                  start.ToString());
    }
  }
  return connection;
}

Result<PartitionReader::Rows> PartitionReader::ReadRows(const LoadTable& table,
                                                        const Partition& partition,
                                                        std::optional<uint64_t> slice_rows,
                                                        uint64_t version, const OnRows& on_rows,
                                                        std::stop_token stop) {
  PENSTOCK_ASSIGN(auto writer, typemap::TableWriter::Make(table.definition, table.target_options));
  const model::Table definition = typemap::TableToRead(table.definition, table.target_options);
  mysql::BinaryRowDecoder decoder(definition);
  row_.assign(definition.columns.size(), model::Value());
  clickhouse::Block block = writer.NewBlock();

  PENSTOCK_TRY(source_->StartSelect(
      SelectRows(table, definition, partition, slice_rows, options_.pipe_name), stop));

  Rows rows;
  uint64_t read = 0;
  const uint64_t rows_max = throttle_.BlockRowsMax();
  const uint64_t bytes_max = std::min(options_.block_bytes_max, throttle_.BlockBytesMax());
  const auto flush = [&]() -> Status {
    PENSTOCK_TRY(Insert(table, block, stop));
    const uint64_t rows_sent = block.rows;
    const uint64_t bytes_sent = block.bytes();
    rows.count += rows_sent;
    rows.bytes += bytes_sent;
    on_rows(rows_sent, bytes_sent);
    block.Clear();
    return throttle_.Pace(rows_sent, bytes_sent, stop);
  };
  while (true) {
    PENSTOCK_ASSIGN(const auto packet, source_->NextRow(stop));
    if (!packet) break;
    PENSTOCK_TRY(decoder.Decode(*packet, row_));
    PENSTOCK_TRY(writer.Append(row_, version, false, block));
    if (++read == slice_rows) rows.last = KeyOf(table, row_);
    if (block.bytes() >= bytes_max || block.rows >= rows_max) PENSTOCK_TRY(flush());
  }
  if (block.rows != 0) PENSTOCK_TRY(flush());
  rows.changes = writer.TakeChanges();
  return rows;
}

// The same bytes may be sent again without harm: equal keys of equal version collapse.
Status PartitionReader::Insert(const LoadTable& table, clickhouse::Block& block,
                               std::stop_token stop) {
  Backoff backoff;
  while (true) {
    Status status =
        destination_.Insert(block,
                            {.database = options_.database,
                             .table = table.target,
                             .query_id = clickhouse::WriteQueryId(options_.database, table.target),
                             .deduplication_token = {},
                             .compression = options_.compression,
                             .settings = {}},
                            stop);
    if (status && backoff.attempts() != 0) options_.on_retry(nullptr);
    if (status || (status.error().code != ErrorCode::kRetry &&
                   status.error().code != ErrorCode::kUnknownOutcome)) {
      return status;
    }
    if (!in_snapshot_ && backoff.attempts() + 1 >= kInsertAttemptsMax) return status;
    options_.on_retry(&status.error());
    if (!options_.clock->Wait(backoff.Next(), stop)) {
      return Fail(ErrorCode::kCancelled, "stopped");
    }
  }
}

}  // namespace penstock::snapshot
