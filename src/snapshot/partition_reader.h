#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "clickhouse/client.h"
#include "clickhouse/table_writes.h"
#include "model/value_changes.h"
#include "mysql/wire/connection.h"
#include "snapshot/load.h"
#include "snapshot/throttle.h"

namespace penstock::snapshot {

// A connection that sees what is committed, and no less than the load's start positions. `purpose`
// comes after the pipe's name in what the source is told.
Result<mysql::Connection> OpenToRead(const LoaderOptions& options, std::string_view purpose,
                                     std::stop_token stop);

// Reads partitions from the source and writes them to the destination, one at a time, over two
// connections it keeps. Rows are sent while more are read, so that it holds one block of them, and
// ClickHouse makes one part of a partition. One thread.
class PartitionReader {
 public:
  // `options` and `throttle` outlive the reader. `in_snapshot`: a connection whose open transaction
  // is to be read from, and cannot be had again; else each partition is read in one of its own.
  PartitionReader(const LoaderOptions& options, Throttle& throttle,
                  std::optional<mysql::Connection> in_snapshot);

  struct Rows {
    uint64_t count = 0;
    uint64_t bytes = 0;  // of the column data
    model::ValueChanges changes;
    std::optional<Boundary> last;  // of a slice: the key of its last row, if more rows may follow
  };

  using OnRows = std::function<void(uint64_t rows, uint64_t bytes)>;

  // Loads one partition of `table`, or with `slice_rows` no more than so many rows from its
  // beginning, every row with `version`. `on_rows` hears of rows, and the bytes of their columns,
  // as they are acknowledged. kNeedsUser when the source's definition is no longer the recorded
  // one. After a failure some rows may have been written; another call with a higher version heals
  // that. In a snapshot only when the source ended the statement, or the destination failed: with
  // anything else it is lost.
  Result<Rows> Load(const LoadTable& table, const Partition& partition,
                    std::optional<uint64_t> slice_rows, uint64_t version, const OnRows& on_rows,
                    std::stop_token stop);

  // After a failure of the last Load: where the table keeps every change, deletes what is there of
  // its rows, which no other version heals. May be repeated.
  Status TakeBack(const LoadTable& table, uint64_t version, std::stop_token stop);

 private:
  Status Begin(const model::Table& table, std::stop_token stop);
  Result<Rows> ReadRows(const LoadTable& table, const Partition& partition,
                        std::optional<uint64_t> slice_rows, uint64_t version, const OnRows& on_rows,
                        std::stop_token stop);
  struct Reading;
  bool CanGoOn(const std::stop_token& stop);
  // A row, as the source sent it, to the reading's block.
  static Status AppendRow(Reading& reading, std::string_view packet);
  Status FillBlock(Reading& reading, SteadyTime until, const std::stop_token& stop);
  // Adds to `rows` those that it took from the reading.
  Status Insert(Reading& reading, Rows& rows, const std::stop_token& stop);

  clickhouse::VersionedRows SentAs(const LoadTable& table, uint64_t version) const;

  const LoaderOptions& options_;
  Throttle& throttle_;
  const bool in_snapshot_;
  std::optional<mysql::Connection> source_;
  clickhouse::Client destination_;
  std::string query_id_;  // of the last insert of the last Load
};

}  // namespace penstock::snapshot
