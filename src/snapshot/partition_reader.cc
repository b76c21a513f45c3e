#include "snapshot/partition_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <utility>

#include "clickhouse/table_writes.h"
#include "mysql/wire/binary_row.h"
#include "mysql/wire/start_position.h"
#include "mysql/wire/table_read.h"

namespace penstock::snapshot {
namespace {

// An insert is ended after so long, so that what is loaded counts soon, and so that of a slow
// source no more than this is read again. Shorter than the server waits for the next block.
constexpr std::chrono::seconds kInsertTimeMax{10};

// Of a block that is being filled, between two looks at the clock.
constexpr uint64_t kBytesPerLook = 64 << 10;

// Of those that have arrived, between two looks at the block's size.
constexpr size_t kRowsAtOnce = 64;

constexpr char kSavepoint[] = "SAVEPOINT penstock";
constexpr char kToSavepoint[] = "ROLLBACK TO SAVEPOINT penstock";

// The rows of a block have different keys, so there is nothing for the server to collapse when it
// writes them: a third of its work on them. (FINAL and merges do so whatever this says.)
const clickhouse::Settings& LoadSettings() {
  static const clickhouse::Settings settings = {{"optimize_on_insert", "0"}};
  return settings;
}

Boundary KeyOf(const LoadTable& table, model::Row row) {
  Boundary boundary;
  for (const size_t index : table.range_key.columns) {
    boundary.push_back(mysql::KeyLiteral(table.definition.columns[index], row[index]));
  }
  return boundary;
}

// An index that is forced costs MySQL a fifth more for each row: it takes the range for one row
// then, and fetches its rows one by one. So it is forced where the server would scan the table.
Result<std::string_view> IndexUse(mysql::Connection& connection, const LoadTable& table,
                                  const std::string& condition, const std::string& comment,
                                  std::stop_token stop) {
  constexpr size_t kAccessType = 4;
  const std::string& index = table.range_key.index;
  const bool may_be_free =
      connection.server().flavour == mysql::Flavour::kMysql && !index.empty() && !condition.empty();
  if (!may_be_free) return "FORCE";
  const auto explained = connection.Query(
      fmt::format("{}EXPLAIN FORMAT=TRADITIONAL SELECT * FROM {} WHERE {}", comment,
                  mysql::FromClause(table.definition.name, index, "USE"), condition),
      std::move(stop));
  if (!explained && (explained.error().code == ErrorCode::kRetry ||
                     explained.error().code == ErrorCode::kCancelled)) {
    return Fail(explained.error());
  }
  if (!explained) return "FORCE";
  const auto& plan = *explained;
  const bool is_range =
      plan.size() == 1 && plan[0].size() > kAccessType && plan[0][kAccessType] == "range";
  return is_range ? "USE" : "FORCE";
}

// `to_read`: the definition as the row decoder has it. Slices are cut in the order of the key.
Result<std::string> SelectRows(mysql::Connection& connection, const LoadTable& table,
                               const model::Table& to_read, const Partition& partition,
                               std::optional<uint64_t> slice_rows, const std::string& pipe_name,
                               std::stop_token stop) {
  const std::vector<size_t>& columns = table.range_key.columns;
  const std::string condition =
      RangeCondition(table.definition, columns, partition.lower, partition.upper);
  const std::string comment = mysql::QueryComment(pipe_name);
  PENSTOCK_ASSIGN(const auto use, IndexUse(connection, table, condition, comment, std::move(stop)));
  std::string sql = fmt::format("{}SELECT {} FROM {}{}{}", comment, mysql::SelectList(to_read),
                                mysql::FromClause(to_read.name, table.range_key.index, use),
                                condition.empty() ? "" : " WHERE ", condition);
  if (!slice_rows) return sql;
  std::string order;
  for (const size_t index : columns) {
    order += (order.empty() ? "" : ",") + mysql::QuoteIdentifier(to_read.columns[index].name);
  }
  return sql + fmt::format(" ORDER BY {} LIMIT {}", order, *slice_rows);
}

}  // namespace

Result<mysql::Connection> OpenToRead(const LoaderOptions& options, std::string_view purpose,
                                     std::stop_token stop) {
  PENSTOCK_ASSIGN(auto connection,
                  mysql::Connection::Open(options.source,
                                          fmt::format("{} {}", options.pipe_name, purpose), stop));
  PENSTOCK_TRY(connection.Execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", stop));
  for (const model::Position& start : options.start_positions) {
    PENSTOCK_ASSIGN(const bool executed, mysql::HasExecuted(connection, start, stop));
    if (!executed) {
      return Fail(ErrorCode::kRetry,
                  "the source server that answered has not executed the start position {}",
                  start.ToString());
    }
  }
  return connection;
}

// The rows of one SELECT, as blocks.
struct PartitionReader::Reading {
  const LoadTable& table;
  uint64_t version;
  std::optional<uint64_t> slice_rows;
  typemap::TableWriter writer;
  mysql::BinaryRowDecoder decoder;
  clickhouse::Block block;
  std::vector<model::Value> row;
  uint64_t rows_read = 0;
  bool ended = false;
  std::optional<Boundary> last = std::nullopt;
  MemoryBudget::Lease memory;
  uint64_t block_bytes_max = 0;
};

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
  query_id_.clear();
  auto rows = Begin(table.definition, stop).and_then([&] {
    return ReadRows(table, partition, slice_rows, version, on_rows, stop);
  });
  if (!rows && !CanGoOn(stop)) source_.reset();
  if (source_ && !source_->Execute(in_snapshot_ ? kToSavepoint : "ROLLBACK", stop)) {
    source_.reset();
  }
  return rows;
}

// Whether the connection is of further use after a failure. Only a snapshot is worth reading the
// rows that are left.
bool PartitionReader::CanGoOn(const std::stop_token& stop) {
  if (!in_snapshot_ || !source_) return false;
  while (source_->is_reading()) {
    if (!source_->NextRow(stop)) return false;
  }
  return true;
}

// As for an insert of no rows: what is there goes.
Status PartitionReader::TakeBack(const LoadTable& table, uint64_t version, std::stop_token stop) {
  const bool every_row = table.target_options.engine == clickhouse::Engine::kMergeTree;
  if (!every_row || query_id_.empty()) return {};  // nothing was sent
  return clickhouse::SettleInsert(destination_, SentAs(table, version), *options_.clock,
                                  std::move(stop))
      .map([](auto) {});
}

clickhouse::VersionedRows PartitionReader::SentAs(const LoadTable& table, uint64_t version) const {
  return {.database = options_.database,
          .table = table.target,
          .begin = version,
          .end = version + 1,
          .count = 0,
          .query_id = query_id_,
          .send = 0};
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
    PENSTOCK_ASSIGN(source_, OpenToRead(options_, "snapshot", stop));
  }
  PENSTOCK_TRY(throttle_.AwaitCalm(*source_, options_.on_retry, stop));
  return mysql::BeginRead(*source_, table, comment, stop);
}

Result<PartitionReader::Rows> PartitionReader::ReadRows(const LoadTable& table,
                                                        const Partition& partition,
                                                        std::optional<uint64_t> slice_rows,
                                                        uint64_t version, const OnRows& on_rows,
                                                        std::stop_token stop) {
  PENSTOCK_ASSIGN(auto writer, typemap::TableWriter::Make(table.definition, table.target_options));
  const model::Table definition = typemap::TableToRead(table.definition, table.target_options);
  clickhouse::Block block = writer.NewBlock();
  Reading reading{.table = table,
                  .version = version,
                  .slice_rows = slice_rows,
                  .writer = std::move(writer),
                  .decoder = mysql::BinaryRowDecoder(definition),
                  .block = std::move(block),
                  .row = std::vector<model::Value>(definition.columns.size()),
                  .memory = MemoryBudget::Lease(*options_.memory)};
  PENSTOCK_ASSIGN(const std::string select, SelectRows(*source_, table, definition, partition,
                                                       slice_rows, options_.pipe_name, stop));
  PENSTOCK_TRY(source_->StartSelect(select, stop));
  // Buffers that grow by doubling take up to twice what is in them.
  reading.block_bytes_max = reading.memory.RaiseTowards(2 * options_.block_bytes_max) / 2;
  Rows rows;
  while (true) {
    PENSTOCK_TRY(FillBlock(reading, SteadyTime::max(), stop));
    if (reading.block.rows == 0) break;
    const uint64_t rows_before = rows.count;
    const uint64_t bytes_before = rows.bytes;
    PENSTOCK_TRY(Insert(reading, rows, stop));
    const uint64_t rows_sent = rows.count - rows_before;
    const uint64_t bytes_sent = rows.bytes - bytes_before;
    on_rows(rows_sent, bytes_sent);
    options_.traffic->rows_sent += rows_sent;
    options_.traffic->bytes_sent += bytes_sent;
    PENSTOCK_TRY(throttle_.Pace(rows_sent, bytes_sent, stop));
  }
  rows.changes = reading.writer.TakeChanges();
  rows.last = std::move(reading.last);
  return rows;
}

Status PartitionReader::AppendRow(Reading& reading, std::string_view packet) {
  PENSTOCK_TRY(reading.decoder.Decode(packet, reading.row));
  PENSTOCK_TRY(reading.writer.Append(reading.row, reading.version, clickhouse::ChangeKind::kInsert,
                                     reading.block));
  if (++reading.rows_read == reading.slice_rows) reading.last = KeyOf(reading.table, reading.row);
  return {};
}

// Empty at the end. Not full when the source is so slow that it takes until then.
Status PartitionReader::FillBlock(Reading& reading, SteadyTime until, const std::stop_token& stop) {
  clickhouse::Block& block = reading.block;
  block.Clear();
  std::array<std::string_view, kRowsAtOnce> packets;
  const uint64_t rows_max = throttle_.BlockRowsMax();
  const uint64_t bytes_max = std::min(reading.block_bytes_max, throttle_.BlockBytesMax());
  uint64_t look_at = kBytesPerLook;
  uint64_t fetched = 0;
  while (!reading.ended && block.rows < rows_max) {
    const uint64_t bytes = block.bytes();
    if (bytes >= bytes_max) break;
    if (bytes >= look_at) {
      if (options_.clock->Steady() >= until) break;
      look_at = bytes + kBytesPerLook;
    }
    const size_t rows_at_once =
        throttle_.is_pacing() ? 1 : std::min<uint64_t>(kRowsAtOnce, rows_max - block.rows);
    PENSTOCK_ASSIGN(const size_t count,
                    source_->NextRows(std::span(packets).first(rows_at_once), stop));
    reading.ended = count == 0;
    for (const std::string_view packet : std::span(packets).first(count)) {
      fetched += packet.size();
      PENSTOCK_TRY(AppendRow(reading, packet));
    }
  }
  options_.traffic->rows_fetched += block.rows;
  options_.traffic->bytes_fetched += fetched;
  return {};
}

// One INSERT of the block and those after it; a paced load waits between blocks, so there each is
// an insert of its own.
Status PartitionReader::Insert(Reading& reading, Rows& rows, const std::stop_token& stop) {
  const SteadyTime until = options_.clock->Steady() + kInsertTimeMax;
  const auto next = [&]() -> Result<const clickhouse::Block*> {
    rows.count += reading.block.rows;
    rows.bytes += reading.block.bytes();
    if (throttle_.is_pacing() || options_.clock->Steady() >= until) return nullptr;
    PENSTOCK_TRY(FillBlock(reading, until, stop));
    return reading.block.rows == 0 ? nullptr : &reading.block;
  };
  query_id_ = clickhouse::WriteQueryId(
      options_.database, reading.table.target,
      typemap::ShardOf(reading.table.definition, reading.table.target_options));
  const bool every_row = clickhouse::KeepsEveryChange(reading.table.target_options.engine);
  const std::string session =
      clickhouse::InsertSession(destination_, SentAs(reading.table, reading.version));
  return destination_.InsertAll(reading.block, next,
                                {.database = options_.database,
                                 .table = reading.table.target,
                                 .query_id = query_id_,
                                 // Else a replicated table drops a block that equals another.
                                 .deduplication_token = every_row ? query_id_ : "",
                                 .session = every_row ? session : "",
                                 .settings = LoadSettings()},
                                stop);
}

}  // namespace penstock::snapshot
