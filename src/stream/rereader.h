#pragma once

#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/status.h"
#include "clickhouse/block.h"
#include "model/position.h"
#include "mysql/wire/connection.h"
#include "stream/batch.h"
#include "stream/batch_writer.h"
#include "stream/stream.h"
#include "typemap/table_map.h"

namespace penstock::stream {

// Writes the rows that a batch names without their values (TableRows::rereads) as the source has
// them by now. What was done to a row between its change and the reading follows in the log, with
// higher versions: so the destination ends right, though it may skip states or show a later one
// early. A row that is gone by then is passed over: its deletion follows likewise. One thread.
class Rereader {
 public:
  // All outlive the rereader.
  Rereader(const std::vector<StreamTable>& tables, const StreamOptions& options,
           BatchWriter& writer);

  // Writes those of one table of a batch that was read up to `read_to`; adds to its `changes`.
  // Lost connections are retried for as long as it takes. kCancelled on stop; else the first error
  // that does not pass (kNeedsUser: the definition of the table is no longer the one that the log
  // was read with).
  Status Write(TableRows& rows, const model::Position& read_to, std::stop_token stop);

 private:
  using Keys = std::span<const std::string>;
  Status Connect(std::stop_token stop);
  // Until the source shows what it has logged up to `position`.
  Status AwaitVisible(const model::Position& position, std::stop_token stop);
  Status WriteSome(TableRows& rows, Keys keys, const model::Position& read_to,
                   std::stop_token stop);
  // Appends the rows with these keys to `block`, and inserts it whenever it is full.
  Status Read(const TableRows& rows, Keys keys, typemap::TableWriter& writer,
              clickhouse::Block& block, std::stop_token stop);

  const std::vector<StreamTable>& tables_;
  const StreamOptions& options_;
  BatchWriter& writer_;
  std::optional<mysql::Connection> source_;
};

}  // namespace penstock::stream
