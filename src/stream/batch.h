#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/memory_budget.h"
#include "base/status.h"
#include "clickhouse/block.h"
#include "clickhouse/ddl.h"
#include "model/position.h"
#include "model/prepared_transaction.h"
#include "model/table.h"
#include "model/value_changes.h"
#include "typemap/table_map.h"

namespace penstock::stream {

// One table the stream follows, with the definition that is valid from the start position on.
struct StreamTable {
  model::Table definition;
  typemap::TargetOptions target_options;
  std::string target;  // table name
  std::string old_target =
      {};                    // one that `target` will take the place of: written alike until then
  bool quarantined = false;  // not followed
  bool gone = false;         // likewise, since it is not there: see Fence
  // Changes of transactions that are contained in it are in the table's load already, by another
  // definition perhaps. Of the same mechanism as the stream's position.
  std::optional<model::Position> start = {};
  std::optional<model::TransactionPart> start_part =
      {};  // what is there of the transaction after it
};

// An insert into a table that keeps every change. It is on record before it is sent, so that the
// table can be asked for its rows when the outcome is not known.
struct RecordedInsert {
  size_t table = 0;
  uint64_t version_begin = 0;  // of its rows, and of no others of the table
  uint64_t version_end = 0;
  uint64_t rows = 0;
  // What the destination holds of the table once the rows are there: StreamTable's.
  model::Position start;
  std::optional<model::TransactionPart> start_part;
};

// What is on record before the rows of a batch are sent: should nobody hear what became of them,
// they may be in the destination.
struct Sending {
  model::Position read_to;     // Batch's
  std::vector<size_t> tables;  // with rows, or emptied
  std::vector<RecordedInsert> inserts;
};

struct RowCounts {
  uint64_t inserted = 0;
  uint64_t updated = 0;
  uint64_t deleted = 0;

  uint64_t total() const { return inserted + updated + deleted; }
};

// The rows of one table in a batch.
struct TableRows {
  size_t table = 0;  // index into the stream's tables
  clickhouse::Block block;
  RowCounts counts;
  model::ValueChanges changes;  // by rule, because ClickHouse cannot hold the values
  // Rows whose changes the log holds in part (binlog_row_image MINIMAL, NOBLOB), by
  // mysql::KeyCondition, a key perhaps more than once: what the source has of them by now is to be
  // written with this version.
  std::vector<std::string> rereads;
  uint64_t reread_version = 0;
};

// What is to become of a table that is fenced: its user orders a resync when the cause is mended;
// or nothing is to be mended, and the pipe resyncs it by itself.
enum class Heals : uint8_t { kByUser, kByResync };

// The end of following one table: its changes before `position` are written, later ones are not
// (but perhaps for a part of the transaction that comes next).
struct Fence {
  size_t table = 0;
  model::Position position;
  Error error;  // why
  Heals heals = Heals::kByUser;
  bool gone = false;  // the source has it no more, by this name at least
};

// Columns that were added at the source: the table is another one from there on.
struct AddedColumns {
  size_t table = 0;
  model::Position before;      // where the statement stands in the log
  model::Position start = {};  // once the target has them: StreamTable's by that definition
  model::Table definition;     // from there on
  std::vector<clickhouse::NewColumn> columns;  // for its target
};

// A table that came to be, or got its name.
struct MadeTable {
  model::TableName name;                       // as it was typed
  std::optional<size_t> table = std::nullopt;  // that had the name before, of the stream's
};

// A transaction that was read in part: rows of it are in batches, its end is yet to come. When it
// is read again from its start, these rows are passed over.
struct OpenTransaction {
  struct Table {
    size_t table = 0;   // index into the stream's tables
    uint64_t rows = 0;  // the first so many of the table's in it; 0 where all are written anew
  };
  std::string gtid;           // empty: the log has none
  std::vector<Table> tables;  // empty: no such transaction
};

// Where a stream starts.
struct StreamStart {
  model::Position position;
  OpenTransaction open;  // begins at `position`
  std::vector<model::PreparedTransaction> prepared = {};
  // `prepared` may lack some: the commit of another may be of any table, so all are fenced.
  bool prepared_unknown = false;
  // How far an attempt before had read what it sent, and did not hear of any more.
  std::optional<model::Position> sent_to = {};
};

// Changes in the order of the log, split by table. Moved from the thread that decodes to the one
// that writes.
struct Batch {
  std::vector<TableRows> tables;  // those with rows
  std::vector<Fence> fences;
  std::optional<size_t> truncated;         // emptied at the source after the rows of this batch
  model::Position before_truncate;         // where that stands in the log
  std::optional<AddedColumns> added = {};  // likewise after the rows of this batch
  std::vector<MadeTable> made = {};        // before `end`: those that are awaited
  std::vector<model::PreparedTransaction> prepared;  // at `end`; their files are safe
  std::vector<std::string> ended_files;  // of transactions that are no longer prepared by then
  std::vector<std::string> notices;      // what people should know
  model::Position begin;                 // what came before is in earlier batches
  // Once this batch and all before it are acknowledged, nothing before `end` is needed again, nor
  // the rows of `open`, which begins there.
  model::Position end;
  OpenTransaction open;
  model::Position read_to;  // `end`, and what was read of the transaction that `open` is of
  uint64_t rows = 0;
  uint64_t bytes = 0;    // of the column data
  UnixMicros reading{};  // waited for the source, since its first row
  UnixMicros decoding{};
  UnixMicros last_commit{};  // at the source, of the last whole transaction; 0: none yet
  MemoryBudget::Lease memory{MemoryBudget::Unlimited()};  // for the rows
};

}  // namespace penstock::stream
