#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "model/position.h"
#include "model/prepared_transaction.h"
#include "model/table.h"
#include "model/value_changes.h"

namespace penstock::catalog {

struct PipeRecord {
  std::string id;            // UUID
  std::string name;          // unique
  std::string spec;          // JSON with secrets: sealed in the file, plain here
  std::string state;         // pipe::StateName
  std::string resume_state;  // where `start` leads from Paused and Failed; "" otherwise
  std::string reason;
  UnixMicros state_since{};
  UnixMicros created_at{};
  UnixMicros updated_at{};
};

// A change of state with what it implies: stored in one transaction, with an event of kind "state"
// that tells of it ("Setup to Snapshot: the reason").
struct Transition {
  std::string from;  // "" for the creation of the pipe
  std::string to;
  std::string resume_state;
  std::string reason;
  UnixMicros at{};
};

// A table that is not followed any more: its changes before `position` are in the destination.
struct Quarantine {
  model::Position position;
  std::string reason;  // one line with the remedy
  UnixMicros since{};
  bool retrying = false;  // the log is to be read again from `position` on
  bool gone = false;      // the source had the table no more, by this name at least
};

struct TableRecord {
  int64_t id = 0;  // given by the catalog, never used again
  model::Table definition;
  std::string target;               // table name in the pipe's database
  std::string ddl;                  // as it was run
  uint64_t load_version_base = 0;   // attempts of its load use base + 1, base + 2, ...
  bool partitions_planned = false;  // every partition of the load is recorded
  uint64_t rows_estimated = 0;
  std::string load_target = {};  // table that the load fills in place of `target`; "": `target`
  std::string loaded_uuid = {};  // load_target's UUID at the destination, once its load is whole
  uint64_t bytes_estimated = 0;
  std::optional<Quarantine> quarantine = {};
  // Its load is to be done anew, beside the target: until that begins or, where nothing is
  // followed, until it is in place.
  bool reload_wanted = false;
  // Its target was made by another mapping; until a load that goes by the new one is in place.
  bool remapped = false;
  // While load_target of a table that is followed is filled: the target is written alike.
  bool keeps_target_fresh = false;
  // Changes in transactions contained in it are in the load; nullopt: the pipe's first position.
  std::optional<model::Position> start = {};
  std::optional<model::TransactionPart> start_part =
      {};  // what is there of the transaction after it

  // Where rows go: to the target, or until that is in place to the table beside it.
  const std::string& filled_by() const { return load_target.empty() ? target : load_target; }
};

// A table that is mapped no more: what is left to do for it at the destination.
struct RemovalRecord {
  std::string url;  // of the destination that it is at, or a name for it; "": not known
  std::string target;
  bool drop_target = false;    // else it stays, with its rows
  bool only_if_empty = false;  // drop_target: the pipe may not have written it yet
  // Instead, since other tables have the target still: of `target` the rows of this source go.
  model::TableName rows_of = {};

  bool operator==(const RemovalRecord&) const = default;
};

struct QuarantineRecord {
  int64_t table_id = 0;
  Quarantine quarantine;
  bool reload_wanted = false;  // from now on, by the pipe itself
  // What is there of the transaction that comes next.
  std::optional<model::TransactionPart> part = {};
};

// What an edit does to the tables of a pipe that has been set up.
struct TablesEdit {
  std::vector<TableRecord> added = {};  // quarantined until their loads are begun
  std::vector<int64_t> removed = {};
  std::vector<RemovalRecord> removals = {};     // of those
  std::vector<QuarantineRecord> remapped = {};  // TableRecord's; without an event
  std::optional<Transition> transition = {};
};

// An insert into a table that keeps every change, from before it is sent until its outcome is
// known. A table has one at most.
struct InsertRecord {
  int64_t table_id = 0;
  std::string target;
  uint64_t version_begin = 0;  // of its rows, and of no others of the table
  uint64_t version_end = 0;
  uint64_t rows = 0;
  // Of the table's record, once the rows are known to be there.
  model::Position start;
  std::optional<model::TransactionPart> start_part;

  bool operator==(const InsertRecord&) const = default;
};

// What the source guesses of a table.
struct SizeEstimate {
  uint64_t rows = 0;
  uint64_t bytes = 0;
};

// What a load that must be whole fills, beside the target: see TableRecord.
struct LoadTargetRecord {
  int64_t table_id = 0;
  std::string name;
  std::string uuid;
};

// A range of a table's key: lower exclusive, upper inclusive, absent: open. Boundaries are the
// texts of SQL literals of the key columns, as bytes.
struct PartitionRecord {
  int64_t table_id = 0;
  uint32_t index = 0;
  std::optional<std::vector<std::string>> lower;
  std::optional<std::vector<std::string>> upper;
  bool done = false;
  uint64_t rows = 0;
  uint64_t bytes = 0;        // of the column data, as sent
  UnixMicros started_at{};   // of the reading that was begun last; 0: none was
  UnixMicros finished_at{};  // when done; 0 in what an older version left
};

struct FinishedPartition {
  uint32_t index = 0;
  uint64_t rows = 0;
  uint64_t bytes = 0;
  UnixMicros at{};
};

// A transaction of which rows are in the destination, though not all of it.
struct OpenTransaction {
  struct Table {
    int64_t table_id = 0;
    uint64_t rows = 0;
    bool operator==(const Table&) const = default;
  };
  std::string gtid;
  std::vector<Table> tables;  // empty: there is none
  bool operator==(const OpenTransaction&) const = default;
};

// Rows that were about to be sent, of which nothing was heard since.
struct Sent {
  model::Position read_to;  // they are of transactions, or parts of such, before it
  std::vector<int64_t> table_ids;
  bool operator==(const Sent&) const = default;
};

struct Checkpoint {
  model::Position position;
  uint64_t versions_reserved_end = 0;                     // an attempt starts at or above it
  OpenTransaction open = {};                              // begins at `position`
  std::vector<model::PreparedTransaction> prepared = {};  // at `position`
  std::optional<Sent> sent = {};                          // beyond `position`
};

struct BatchRecord {
  uint64_t number = 0;  // from 1, per pipe; 0 when saved: the catalog gives the next one
  uint64_t rows = 0;
  uint64_t bytes = 0;
  uint32_t tables = 0;
  UnixMicros started_at{};  // of the inserting
  UnixMicros finished_at{};
  UnixMicros reading{};  // of which time went by while the source was waited for
  UnixMicros decoding{};
  struct Table {
    int64_t table_id = 0;
    uint64_t inserted = 0;
    uint64_t updated = 0;
    uint64_t deleted = 0;
    bool operator==(const Table&) const = default;
  };
  std::vector<Table> changes = {};
  // Where the batch ends in files; and the GTIDs (of MariaDB: of each domain the last) that were
  // read since the end of the batch before.
  model::Position read = {};
};

// What became of the values of one column by rule, since the table was set up.
struct ValueChangeRecord {
  int64_t table_id = 0;
  std::string column;
  model::ChangeCounts counts;
};

// How far the retry of a quarantined table has come.
struct RetryRecord {
  int64_t table_id = 0;
  model::Position position;  // of its quarantine, from now on
};

// A table that is followed again: see TableRecord.
struct FollowedRecord {
  int64_t table_id = 0;
  model::Position start;
  std::optional<model::TransactionPart> start_part = {};
};

// A table's definition has changed, and so has its target: see TableRecord.
struct DefinitionRecord {
  int64_t table_id = 0;
  model::Table definition;
  std::string ddl;  // as it was run, after what the table was made with; "" for nothing
  model::Position start;
};

struct EventRecord {
  UnixMicros at{};
  std::string level;  // "info", "warning", "error"
  std::string kind;   // "state", "retry", "value_changed", ...
  std::string text;
};

// What was answered to a request that its client may send again, under the client's own key.
struct AnswerRecord {
  std::string key;
  std::string request_hash;  // a repeated request must be the same
  int status = 200;
  std::string body;  // without secrets
  UnixMicros at{};
};

// What a stream did on its way to a new checkpoint.
struct CheckpointNews {
  std::optional<BatchRecord> batch = {};
  std::vector<ValueChangeRecord> changes = {};
  std::vector<QuarantineRecord> quarantines = {};
  std::vector<InsertRecord> inserts =
      {};  // about to be sent, each in place of its table's last one
  std::vector<DefinitionRecord> definitions = {};
  std::vector<int64_t> settled = {};    // tables whose insert on record was acknowledged
  std::vector<int64_t> truncated = {};  // tables whose load is over: nothing of it counts any more
  std::vector<int64_t> made_anew = {};  // reload_wanted, of those that are quarantined
  std::vector<int64_t> stale = {};      // keeps_target_fresh no more
  std::vector<EventRecord> events = {};
};

// What must survive, in one SQLite file (WAL, synchronous=FULL) in a folder of mode 0700 that one
// process holds at a time. Safe from any thread: writes go to one writer thread, which commits all
// that wait in one transaction; a write answers when it is durable. A call is atomic: after a
// crash all of it is there or nothing. Errors have origin "catalog"; a full disk is kExhausted.
class Catalog {
 public:
  struct Options {
    std::filesystem::path data_dir;         // made if missing
    std::filesystem::path secret_key_file;  // empty: data_dir/secret.key, made with mode 0600
    Clock* clock = &Clock::Real();
  };
  // kConflict: another process holds the folder, or the file is of a newer version.
  static Result<std::unique_ptr<Catalog>> Open(const Options& options);
  virtual ~Catalog() = default;

  // Random names made at first start and kept: what the API calls organization and service.
  virtual std::string organization_id() const = 0;
  virtual std::string service_id() const = 0;

  // Also its first transition, from "". kConflict: the name is taken.
  virtual Status CreatePipe(const PipeRecord& pipe) = 0;
  virtual Result<std::vector<PipeRecord>> Pipes() = 0;
  // Name and spec take the place of what is stored, with the event that tells of it. kConflict: the
  // name is taken. The event's time is the pipe's
  // updated_at.
  virtual Status EditPipe(const std::string& pipe_id, const std::string& name,
                          const std::string& spec, const EventRecord& event,
                          const TablesEdit& tables) = 0;
  // Those that are not done yet.
  virtual Result<std::vector<RemovalRecord>> Removals(const std::string& pipe_id) = 0;
  // Those of this url.
  virtual Status EndRemovals(const std::string& pipe_id, const std::string& url) = 0;
  // The pipe is none of Pipes() any more, and its name is free. It stays one of DeletedPipes(),
  // named by its id, until DeletePipe, since these are yet to be done, beside what Removals() had.
  virtual Status BeginDeletion(const std::string& pipe_id,
                               const std::vector<RemovalRecord>& removals) = 0;
  virtual Result<std::vector<PipeRecord>> DeletedPipes() = 0;
  virtual Status DeletePipe(const std::string& pipe_id) = 0;  // with all that belongs to it
  // kConflict when the stored state is not `from`.
  virtual Status SaveTransition(const std::string& pipe_id, const Transition& transition) = 0;
  // Newest first; the latest 10,000 are kept.
  virtual Result<std::vector<Transition>> Transitions(const std::string& pipe_id, size_t limit) = 0;

  // The end of Setup: the tables (ids are filled in), where the stream starts, and the transition.
  virtual Status FinishSetup(const std::string& pipe_id, std::vector<TableRecord>& tables,
                             const Checkpoint& start, const Transition& transition) = 0;
  virtual Result<std::vector<TableRecord>> Tables(const std::string& pipe_id) = 0;

  // A load that begins anew: forgets the partitions of these tables and what became of values, and
  // sets load_target and loaded_uuid. EndLoad only sets these, of a load that is whole.
  virtual Status BeginLoad(const std::vector<LoadTargetRecord>& targets) = 0;
  virtual Status EndLoad(const std::vector<LoadTargetRecord>& targets) = 0;
  // BeginLoad of tables that are followed from `start` on, where their snapshot stands.
  virtual Status BeginSnapshot(const std::string& pipe_id,
                               const std::vector<LoadTargetRecord>& targets,
                               const model::Position& start) = 0;

  // Loads of tables of a pipe that follows them are to be done anew, and the transition that this
  // makes. `forget_position`: there is no checkpoint any more, since no change can be read from it.
  virtual Status WantReload(const std::string& pipe_id, const std::vector<int64_t>& table_ids,
                            bool forget_position, const Transition& transition) = 0;
  // These loads begin: stores of each table what the reload changes (definition, ddl, load_target,
  // keeps_target_fresh, start, quarantine, reload_wanted), forgets its partitions, what became of
  // values and its rows of an open transaction. A `checkpoint` takes the place of one that was
  // forgotten; versions that were reserved stay so.
  virtual Status BeginReload(const std::string& pipe_id, const std::vector<TableRecord>& tables,
                             const std::optional<Checkpoint>& checkpoint,
                             const Transition& transition) = 0;
  // The load_targets are in place, or given up: there are none any more, and of what was given up
  // nothing counts as loaded. A reload is wanted only of tables that are quarantined.
  virtual Status EndReload(const std::string& pipe_id, const std::vector<int64_t>& table_ids,
                           const Transition& transition) = 0;

  // Appends planned partitions (indexes go on from what is there).
  virtual Status AddPartitions(int64_t table_id, const std::vector<PartitionRecord>& partitions,
                               bool planned_to_the_end, const SizeEstimate& estimate) = 0;
  // Of all tables of the pipe, in their order.
  virtual Result<std::vector<PartitionRecord>> Partitions(const std::string& pipe_id) = 0;
  // Those that were begun last, newest first, then those that were not begun; of one table or all.
  virtual Result<std::vector<PartitionRecord>> LatestPartitions(const std::string& pipe_id,
                                                                std::optional<int64_t> table_id,
                                                                size_t limit) = 0;
  // The number of a new attempt at any partition of the table: each call answers a higher one,
  // also after a crash. From 1. `started_at` is when the reading of partition `index` began.
  virtual Result<uint32_t> BeginAttempt(int64_t table_id, uint32_t index,
                                        UnixMicros started_at) = 0;
  // `changes` are added to those of the table, as in SaveCheckpoint.
  virtual Status FinishPartition(int64_t table_id, const FinishedPartition& partition,
                                 const std::vector<ValueChangeRecord>& changes) = 0;

  // kNotFound before FinishSetup.
  virtual Result<Checkpoint> LoadCheckpoint(const std::string& pipe_id) = 0;
  // Each quarantine also makes an event, of kind "quarantine".
  virtual Status SaveCheckpoint(const std::string& pipe_id, const Checkpoint& checkpoint,
                                const CheckpointNews& news) = 0;

  // Quarantined tables are retried from now on: until EndRetry, BeginReload, or another quarantine.
  virtual Status WantRetry(const std::string& pipe_id, const std::vector<int64_t>& table_ids,
                           const EventRecord& event) = 0;
  // What a retry did, beside the checkpoint. Tables of `news.settled` start where their inserts
  // have led them.
  virtual Status SaveRetry(const std::string& pipe_id, const std::vector<RetryRecord>& tables,
                           const CheckpointNews& news) = 0;
  // These are quarantined no more.
  virtual Status EndRetry(const std::string& pipe_id, const std::vector<FollowedRecord>& tables,
                          const EventRecord& event) = 0;

  virtual Result<std::vector<InsertRecord>> Inserts(const std::string& pipe_id) = 0;
  // It is forgotten; where its rows are there, the table starts after them.
  virtual Status SettleInsert(const InsertRecord& insert, bool is_there) = 0;
  // Sums by column. The first change of a kind in a column also made an event, of kind
  // "value_changed".
  virtual Result<std::vector<ValueChangeRecord>> ValueChanges(const std::string& pipe_id) = 0;

  // Of a pipe's history the last 7 days or 10,000 batches, 90 days or 100,000 events are kept.
  virtual Status AddEvent(const std::string& pipe_id, const EventRecord& event) = 0;
  // Newest first.
  virtual Result<std::vector<EventRecord>> Events(const std::string& pipe_id, size_t limit) = 0;
  virtual Result<std::vector<BatchRecord>> Batches(const std::string& pipe_id, size_t limit) = 0;

  // Kept for 24 hours, the latest 1,000.
  virtual Result<std::optional<AnswerRecord>> Answer(const std::string& key) = 0;
  virtual Status SaveAnswer(const AnswerRecord& answer) = 0;
  // A setting of the whole server, as its owner writes it; "" before the first.
  virtual Result<std::string> Setting(const std::string& name) = 0;
  virtual Status SaveSetting(const std::string& name, const std::string& value) = 0;
};

}  // namespace penstock::catalog
