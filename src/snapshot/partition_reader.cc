#include "snapshot/partition_reader.h"

#include <fmt/format.h>

#include "base/backoff.h"
#include "base/random.h"
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

}  // namespace

PartitionReader::PartitionReader(const LoaderOptions& options,
                                 std::optional<mysql::Connection> in_snapshot)
    : options_(options),
      in_snapshot_(in_snapshot.has_value()),
      source_(std::move(in_snapshot)),
      destination_(options.destination) {}

Result<PartitionReader::Rows> PartitionReader::Load(const LoadTable& table,
                                                    const Partition& partition, uint64_t version,
                                                    const std::function<void(uint64_t)>& on_rows,
                                                    std::stop_token stop) {
  auto rows = Begin(table.definition, stop).and_then([&] {
    return ReadRows(table, partition, version, on_rows, stop);
  });
  // After a failure rows may be left unread.
  if (!rows || !source_->Execute(in_snapshot_ ? kToSavepoint : "ROLLBACK", stop)) source_.reset();
  return rows;
}

// In a snapshot the way back to the savepoint lets the table's metadata lock go.
Status PartitionReader::Begin(const model::Table& table, std::stop_token stop) {
  const std::string comment = mysql::QueryComment(options_.pipe_name);
  if (in_snapshot_) {
    if (!source_) return Fail(ErrorCode::kRetry, "the snapshot of the source is lost");
    PENSTOCK_TRY(source_->Execute(kSavepoint, stop));
    return mysql::PinDefinition(*source_, table, comment, stop);
  }
  if (!source_) {
    PENSTOCK_ASSIGN(source_, Connect(stop));
  }
  return mysql::BeginRead(*source_, table, comment, stop);
}

Result<mysql::Connection> PartitionReader::Connect(std::stop_token stop) {
  PENSTOCK_ASSIGN(auto connection,
                  mysql::Connection::Open(options_.source, options_.pipe_name + " snapshot", stop));
  PENSTOCK_TRY(connection.Execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", stop));
  if (options_.start_position) {
    PENSTOCK_ASSIGN(const bool executed,
                    mysql::HasExecuted(connection, *options_.start_position, stop));
    if (!executed) {
      return Fail(ErrorCode::kRetry,
                  "the source server that answered has not executed the start position {}",
                  options_.start_position->ToString());
    }
  }
  return connection;
}

Result<PartitionReader::Rows> PartitionReader::ReadRows(
    const LoadTable& table, const Partition& partition, uint64_t version,
    const std::function<void(uint64_t)>& on_rows, std::stop_token stop) {
  PENSTOCK_ASSIGN(auto writer, typemap::TableWriter::Make(table.definition, table.target_options));
  const model::Table definition = typemap::TableToRead(table.definition, table.target_options);
  mysql::BinaryRowDecoder decoder(definition);
  row_.assign(definition.columns.size(), model::Value());
  clickhouse::Block block = writer.NewBlock();

  const std::string condition =
      RangeCondition(definition, RangeColumns(definition), partition.lower, partition.upper);
  PENSTOCK_TRY(source_->StartSelect(
      fmt::format("{}SELECT {} FROM {}{}{}", mysql::QueryComment(options_.pipe_name),
                  mysql::SelectList(definition), mysql::FromClause(definition),
                  condition.empty() ? "" : " WHERE ", condition),
      stop));

  Rows rows;
  const auto flush = [&]() -> Status {
    PENSTOCK_TRY(Insert(table, block, stop));
    rows.count += block.rows;
    on_rows(block.rows);
    block.Clear();
    return {};
  };
  while (true) {
    PENSTOCK_ASSIGN(const auto packet, source_->NextRow(stop));
    if (!packet) break;
    PENSTOCK_TRY(decoder.Decode(*packet, row_));
    PENSTOCK_TRY(writer.Append(row_, version, false, block));
    if (block.bytes() >= options_.block_bytes_max) PENSTOCK_TRY(flush());
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
    Status status = destination_.Insert(block,
                                        {.database = options_.database,
                                         .table = table.target,
                                         .query_id = "penstock-" + RandomUuid(),
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
