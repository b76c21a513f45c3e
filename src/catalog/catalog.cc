#include "catalog/catalog.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/mutex.h"
#include "base/random.h"
#include "catalog/answers.h"
#include "catalog/backup.h"
#include "catalog/data_dir.h"
#include "catalog/history.h"
#include "catalog/inserts.h"
#include "catalog/meta.h"
#include "catalog/records.h"
#include "catalog/removals.h"
#include "catalog/schema.h"
#include "catalog/secret_key.h"
#include "catalog/sqlite.h"
#include "catalog/table_rows.h"
#include "catalog/writer.h"

namespace penstock::catalog {
namespace {

namespace fs = std::filesystem;

Status CheckNameIsFree(Sqlite& database, const std::string& name, const std::string& pipe_id) {
  PENSTOCK_ASSIGN(
      const std::optional<int64_t> taken,
      database.QueryInt("SELECT 1 FROM pipes WHERE name = ? AND id <> ?", {name, pipe_id}));
  if (!taken) return {};
  return Fail(Error{.code = ErrorCode::kConflict,
                    .message = fmt::format("a pipe named {} exists", name),
                    .origin = "catalog",
                    .remedy = "Choose another name, or delete that pipe"});
}

// The first start makes the key; from then on a sealed text in the catalog tells whether the key
// is the right one, and a missing key is an error rather than a reason to make another.
Result<SecretKey> OpenKey(Sqlite& database, const fs::path& file) {
  constexpr std::string_view kMetaKey = "key_check";
  PENSTOCK_ASSIGN(const std::optional<std::string> check, ReadMeta(database, kMetaKey));
  Result<SecretKey> key = SecretKey::Load(file);
  if (!key && key.error().code == ErrorCode::kNotFound) {
    if (check) {
      return Fail(Error{.code = ErrorCode::kNeedsUser,
                        .message = fmt::format("the secret key file {} of this catalog is missing",
                                               file.string()),
                        .origin = "catalog",
                        .remedy = "Put it back, or name it by --secret-key-file"});
    }
    key = SecretKey::Create(file);
  }
  if (!key) return key;
  if (check) {
    if (const Result<std::string> opened = key->Unseal(*check); !opened) {
      return Failure(opened.error().In(file.string()));
    }
  } else {
    PENSTOCK_TRY(WriteMeta(database, kMetaKey, key->Seal("penstock")));
  }
  return key;
}

Status RequirePipe(Sqlite& database, const std::string& pipe_id) {
  PENSTOCK_ASSIGN(const std::optional<int64_t> found,
                  database.QueryInt("SELECT 1 FROM pipes WHERE id = ?", {pipe_id}));
  if (!found) return NoSuchPipe(pipe_id);
  return {};
}

// Which of "no such pipe" and "in another state" made an update change nothing.
Failure WrongState(Sqlite& database, const std::string& pipe_id, const std::string& expected) {
  std::string stored;
  const Status read =
      database.Query("SELECT state FROM pipes WHERE id = ?", {pipe_id}, [&](const SqlRow& row) {
        stored = row.Text(0);
        return Status();
      });
  if (!read) return Failure(read.error());
  if (stored.empty()) return NoSuchPipe(pipe_id);
  return Fail(Error{.code = ErrorCode::kConflict,
                    .message = fmt::format("the pipe is {}, not {}", stored, expected),
                    .origin = "catalog"});
}

Status StoreTransition(Sqlite& database, const std::string& pipe_id, const Transition& transition,
                       UnixMicros wall) {
  PENSTOCK_ASSIGN(const int64_t changed,
                  database.Run("UPDATE pipes SET state = ?, resume_state = ?, reason = ?, "
                               "state_since = ?4, updated_at = ?4 WHERE id = ? AND state = ?",
                               {transition.to, transition.resume_state, transition.reason,
                                ToStored(transition.at), pipe_id, transition.from}));
  if (changed == 0) return WrongState(database, pipe_id, transition.from);
  return InsertTransition(database, pipe_id, transition, wall);
}

Status StoreCheckpoint(Sqlite& database, const std::string& pipe_id, const Checkpoint& checkpoint) {
  PENSTOCK_ASSIGN(const std::string open, EncodeOpen(checkpoint.open));
  PENSTOCK_ASSIGN(const std::string prepared, EncodePrepared(checkpoint.prepared));
  PENSTOCK_ASSIGN(const std::string sent, EncodeSent(checkpoint.sent));
  PENSTOCK_ASSIGN(
      const int64_t changed,
      database.Run(
          "UPDATE pipes SET position = ?, versions_reserved_end = ?, open_transaction = ?, "
          "prepared_transactions = ?, sent = ? WHERE id = ?",
          {checkpoint.position.Serialize(), ToStored(checkpoint.versions_reserved_end), open,
           prepared, sent, pipe_id}));
  if (changed == 0) return NoSuchPipe(pipe_id);
  return {};
}

// What is read of these tables from now on is all of it.
Status ForgetOpen(Sqlite& database, const std::string& pipe_id,
                  const std::vector<int64_t>& table_ids) {
  OpenTransaction open;
  PENSTOCK_TRY(database.Query("SELECT open_transaction FROM pipes WHERE id = ?", {pipe_id},
                              [&](const SqlRow& row) -> Status {
                                PENSTOCK_ASSIGN(open, DecodeOpen(row.Text(0)));
                                return {};
                              }));
  const auto forgotten = std::erase_if(open.tables, [&](const OpenTransaction::Table& part) {
    return std::ranges::count(table_ids, part.table_id) != 0;
  });
  if (forgotten == 0) return {};
  PENSTOCK_ASSIGN(const std::string rest, EncodeOpen(open));
  PENSTOCK_TRY(database.Run("UPDATE pipes SET open_transaction = ? WHERE id = ?", {rest, pipe_id}));
  return {};
}

// Versions that were reserved stay so.
Status RaiseCheckpoint(Sqlite& database, const std::string& pipe_id, Checkpoint checkpoint) {
  PENSTOCK_ASSIGN(
      const auto reserved,
      database.QueryInt("SELECT versions_reserved_end FROM pipes WHERE id = ?", {pipe_id}));
  checkpoint.versions_reserved_end =
      std::max(checkpoint.versions_reserved_end, static_cast<uint64_t>(reserved.value_or(0)));
  return StoreCheckpoint(database, pipe_id, checkpoint);
}

Parameter BoundsParameter(const std::optional<std::string>& encoded) {
  if (!encoded) return std::monostate();
  return Blob{*encoded};
}

std::optional<std::string> EncodeOptionalBounds(
    const std::optional<std::vector<std::string>>& bounds) {
  if (!bounds) return std::nullopt;
  return EncodeBounds(*bounds);
}

Status InsertPartition(Sqlite& database, int64_t table_id, int64_t number,
                       const PartitionRecord& partition) {
  const std::optional<std::string> lower = EncodeOptionalBounds(partition.lower);
  const std::optional<std::string> upper = EncodeOptionalBounds(partition.upper);
  PENSTOCK_TRY(
      database.Run("INSERT INTO partitions (table_id, number, lower, upper, done, row_count) "
                   "VALUES (?, ?, ?, ?, ?, ?)",
                   {table_id, number, BoundsParameter(lower), BoundsParameter(upper),
                    partition.done, ToStored(partition.rows)}));
  return {};
}

Status StoreLoadTarget(Sqlite& database, const LoadTargetRecord& target) {
  PENSTOCK_ASSIGN(const int64_t changed,
                  database.Run("UPDATE tables SET load_target = ?, loaded_uuid = ? WHERE id = ?",
                               {target.name, target.uuid, target.table_id}));
  if (changed == 0) return Fail(ErrorCode::kNotFound, "no table with id {}", target.table_id);
  return {};
}

// What a stream tells beside its checkpoint.
Status StoreNews(Sqlite& database, const std::string& pipe_id, const CheckpointNews& news,
                 UnixMicros wall) {
  if (news.batch) PENSTOCK_TRY(InsertBatch(database, pipe_id, *news.batch, wall));
  PENSTOCK_TRY(AddValueChanges(database, news.changes, wall));
  for (const auto& record : news.quarantines) {
    PENSTOCK_TRY(StoreQuarantine(database, record, wall));
  }
  for (const auto& record : news.definitions) PENSTOCK_TRY(StoreDefinition(database, record));
  for (const int64_t table_id : news.settled) PENSTOCK_TRY(ForgetInsert(database, table_id));
  for (const auto& insert : news.inserts) PENSTOCK_TRY(StoreInsert(database, insert));
  for (const int64_t table_id : news.truncated) PENSTOCK_TRY(EndTruncated(database, table_id));
  for (const int64_t table_id : news.made_anew) PENSTOCK_TRY(WantHealed(database, table_id));
  for (const int64_t table_id : news.stale) PENSTOCK_TRY(EndFreshness(database, table_id));
  for (const auto& event : news.events) PENSTOCK_TRY(InsertEvent(database, pipe_id, event, wall));
  return {};
}

Status StoreTablesEdit(Sqlite& database, const std::string& pipe_id, const TablesEdit& tables,
                       UnixMicros wall) {
  if (tables.transition) {
    PENSTOCK_TRY(StoreTransition(database, pipe_id, *tables.transition, wall));
  }
  PENSTOCK_TRY(ForgetOpen(database, pipe_id, tables.removed));
  for (const int64_t id : tables.removed) {
    PENSTOCK_TRY(database.Run("DELETE FROM tables WHERE id = ?", {id}));
  }
  PENSTOCK_TRY(StoreRemovals(database, pipe_id, tables.removals));
  for (const auto& table : tables.remapped) PENSTOCK_TRY(SetRemapped(database, table));
  for (const TableRecord& table : tables.added) {
    PENSTOCK_TRY(InsertTable(database, pipe_id, table));
  }
  return {};
}

Result<std::optional<std::vector<std::string>>> ReadBounds(const SqlRow& row, int column) {
  if (row.IsNull(column)) return std::nullopt;
  PENSTOCK_ASSIGN(std::vector<std::string> bounds, DecodeBounds(row.Text(column)));
  return bounds;
}

std::string SelectPartitions(std::string_view rest) {
  return fmt::format(
      "SELECT table_id, number, lower, upper, done, row_count, bytes, started_at, finished_at "
      "FROM partitions JOIN tables ON tables.id = table_id WHERE pipe_id = ?1 {}",
      rest);
}

Status AddPartition(const SqlRow& row, std::vector<PartitionRecord>& partitions) {
  PartitionRecord& partition = partitions.emplace_back();
  partition.table_id = row.Int(0);
  partition.index = static_cast<uint32_t>(row.Int(1));
  PENSTOCK_ASSIGN(partition.lower, ReadBounds(row, 2));
  PENSTOCK_ASSIGN(partition.upper, ReadBounds(row, 3));
  partition.done = row.Int(4) != 0;
  partition.rows = row.Unsigned(5);
  partition.bytes = row.Unsigned(6);
  partition.started_at = row.Time(7);
  partition.finished_at = row.Time(8);
  return {};
}

class SqliteCatalog final : public Catalog {
 public:
  struct Parts {
    std::unique_ptr<DataDir> data_dir;
    std::unique_ptr<Sqlite> writing;
    std::unique_ptr<Sqlite> reading;
    SecretKey key;
    std::string organization_id;
    std::string service_id;
    Clock* clock;
  };
  explicit SqliteCatalog(Parts parts)
      : data_dir_(std::move(parts.data_dir)),
        key_(parts.key),
        organization_id_(std::move(parts.organization_id)),
        service_id_(std::move(parts.service_id)),
        clock_(parts.clock),
        reading_(std::move(parts.reading)),
        writer_(std::move(parts.writing)) {}

  std::string organization_id() const override { return organization_id_; }
  std::string service_id() const override { return service_id_; }

  Status CreatePipe(const PipeRecord& pipe) override;
  Result<std::vector<PipeRecord>> Pipes() override { return ReadPipes(/*deleted=*/false); }
  Status EditPipe(const std::string& pipe_id, const std::string& name, const std::string& spec,
                  const EventRecord& event, const TablesEdit& tables) override;
  Result<std::vector<RemovalRecord>> Removals(const std::string& pipe_id) override;
  Status EndRemovals(const std::string& pipe_id, const std::string& url) override;
  Status BeginDeletion(const std::string& pipe_id,
                       const std::vector<RemovalRecord>& removals) override;
  Result<std::vector<PipeRecord>> DeletedPipes() override { return ReadPipes(/*deleted=*/true); }
  Status DeletePipe(const std::string& pipe_id) override;
  Status SaveTransition(const std::string& pipe_id, const Transition& transition) override;
  Result<std::vector<Transition>> Transitions(const std::string& pipe_id, size_t limit) override;
  Status FinishSetup(const std::string& pipe_id, std::vector<TableRecord>& tables,
                     const Checkpoint& start, const Transition& transition) override;
  Result<std::vector<TableRecord>> Tables(const std::string& pipe_id) override;
  Status BeginLoad(const std::vector<LoadTargetRecord>& targets) override;
  Status WantReload(const std::string& pipe_id, const std::vector<int64_t>& table_ids,
                    bool forget_position, const Transition& transition) override;
  Status BeginReload(const std::string& pipe_id, const std::vector<TableRecord>& tables,
                     const std::optional<Checkpoint>& checkpoint,
                     const Transition& transition) override;
  Status EndReload(const std::string& pipe_id, const std::vector<int64_t>& table_ids,
                   const Transition& transition) override;
  Status EndLoad(const std::vector<LoadTargetRecord>& targets) override;
  Status BeginSnapshot(const std::string& pipe_id, const std::vector<LoadTargetRecord>& targets,
                       const model::Position& start) override;
  Status AddPartitions(int64_t table_id, const std::vector<PartitionRecord>& partitions,
                       bool planned_to_the_end, const SizeEstimate& estimate) override;
  Result<std::vector<PartitionRecord>> Partitions(const std::string& pipe_id) override;
  Result<std::vector<PartitionRecord>> LatestPartitions(const std::string& pipe_id,
                                                        std::optional<int64_t> table_id,
                                                        size_t limit) override;
  Result<uint32_t> BeginAttempt(int64_t table_id, uint32_t index, UnixMicros started_at) override;
  Status FinishPartition(int64_t table_id, const FinishedPartition& partition,
                         const std::vector<ValueChangeRecord>& changes) override;
  Result<Checkpoint> LoadCheckpoint(const std::string& pipe_id) override;
  Status SaveCheckpoint(const std::string& pipe_id, const Checkpoint& checkpoint,
                        const CheckpointNews& news) override;
  Status WantRetry(const std::string& pipe_id, const std::vector<int64_t>& table_ids,
                   const EventRecord& event) override;
  Status SaveRetry(const std::string& pipe_id, const std::vector<RetryRecord>& tables,
                   const CheckpointNews& news) override;
  Status EndRetry(const std::string& pipe_id, const std::vector<FollowedRecord>& tables,
                  const EventRecord& event) override;
  Result<std::vector<InsertRecord>> Inserts(const std::string& pipe_id) override;
  Status SettleInsert(const InsertRecord& insert, bool is_there) override;
  Result<std::vector<ValueChangeRecord>> ValueChanges(const std::string& pipe_id) override;
  Status AddEvent(const std::string& pipe_id, const EventRecord& event) override;
  Result<std::vector<EventRecord>> Events(const std::string& pipe_id, size_t limit) override;
  Result<std::vector<BatchRecord>> Batches(const std::string& pipe_id, size_t limit) override;
  Result<std::optional<AnswerRecord>> Answer(const std::string& key) override;
  Status SaveAnswer(const AnswerRecord& answer) override;
  Result<std::string> Setting(const std::string& name) override;
  Status SaveSetting(const std::string& name, const std::string& value) override;

 private:
  Status Read(const char* sql, Parameters parameters,
              const std::function<Status(const SqlRow&)>& each) EXCLUDES(reading_mutex_) {
    MutexLock lock(reading_mutex_);
    return reading_->Query(sql, parameters, each);
  }
  Result<PipeRecord> ReadPipe(const SqlRow& row) const;
  Result<std::vector<PipeRecord>> ReadPipes(bool deleted);

  // The lock on the folder is let go last.
  const std::unique_ptr<DataDir> data_dir_;
  const SecretKey key_;
  const std::string organization_id_;
  const std::string service_id_;
  Clock* const clock_;
  Mutex reading_mutex_;
  const std::unique_ptr<Sqlite> reading_ GUARDED_BY(reading_mutex_);
  Writer writer_;
};

Status SqliteCatalog::CreatePipe(const PipeRecord& pipe) {
  const std::string sealed = key_.Seal(pipe.spec);
  return writer_.Write([&](Sqlite& database) -> Status {
    PENSTOCK_TRY(CheckNameIsFree(database, pipe.name, pipe.id));
    PENSTOCK_TRY(database.Run(
        "INSERT INTO pipes (id, name, spec, state, resume_state, reason, state_since, created_at, "
        "updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {pipe.id, pipe.name, Blob{sealed}, pipe.state, pipe.resume_state, pipe.reason,
         ToStored(pipe.state_since), ToStored(pipe.created_at), ToStored(pipe.updated_at)}));
    const Transition made = {.from = "",
                             .to = pipe.state,
                             .resume_state = pipe.resume_state,
                             .reason = pipe.reason,
                             .at = pipe.state_since};
    return InsertTransition(database, pipe.id, made, clock_->Wall());
  });
}

Result<PipeRecord> SqliteCatalog::ReadPipe(const SqlRow& row) const {
  PipeRecord pipe;
  pipe.id = row.Text(0);
  pipe.name = row.Text(1);
  PENSTOCK_ASSIGN(pipe.spec, key_.Unseal(row.Text(2)));
  pipe.state = row.Text(3);
  pipe.resume_state = row.Text(4);
  pipe.reason = row.Text(5);
  pipe.state_since = row.Time(6);
  pipe.created_at = row.Time(7);
  pipe.updated_at = row.Time(8);
  return pipe;
}

Result<std::vector<PipeRecord>> SqliteCatalog::ReadPipes(bool deleted) {
  std::vector<PipeRecord> pipes;
  PENSTOCK_TRY(Read(
      "SELECT id, name, spec, state, resume_state, reason, state_since, created_at, updated_at "
      "FROM pipes WHERE deleted = ? ORDER BY created_at, name",
      {deleted}, [&](const SqlRow& row) -> Status {
        PENSTOCK_ASSIGN(PipeRecord pipe, ReadPipe(row));
        pipes.push_back(std::move(pipe));
        return {};
      }));
  return pipes;
}

Status SqliteCatalog::EditPipe(const std::string& pipe_id, const std::string& name,
                               const std::string& spec, const EventRecord& event,
                               const TablesEdit& tables) {
  const std::string sealed = key_.Seal(spec);
  return writer_.Write([&](Sqlite& database) -> Status {
    PENSTOCK_TRY(CheckNameIsFree(database, name, pipe_id));
    PENSTOCK_ASSIGN(const int64_t changed,
                    database.Run("UPDATE pipes SET name = ?, spec = ?, updated_at = ? WHERE id = ?",
                                 {name, Blob{sealed}, ToStored(event.at), pipe_id}));
    if (changed == 0) return NoSuchPipe(pipe_id);
    PENSTOCK_TRY(StoreTablesEdit(database, pipe_id, tables, clock_->Wall()));
    return InsertEvent(database, pipe_id, event, clock_->Wall());
  });
}

Result<std::vector<RemovalRecord>> SqliteCatalog::Removals(const std::string& pipe_id) {
  std::vector<RemovalRecord> removals;
  PENSTOCK_TRY(Read(kSelectRemovals, {pipe_id}, [&](const SqlRow& row) -> Status {
    removals.push_back(ReadRemoval(row));
    return {};
  }));
  return removals;
}

Status SqliteCatalog::EndRemovals(const std::string& pipe_id, const std::string& url) {
  return writer_.Write([&](Sqlite& database) {
    return database.Run("DELETE FROM removals WHERE pipe_id = ? AND url = ?", {pipe_id, url})
        .map([](auto) {});
  });
}

Status SqliteCatalog::BeginDeletion(const std::string& pipe_id,
                                    const std::vector<RemovalRecord>& removals) {
  return writer_.Write(
      [&](Sqlite& database) { return StoreDeletion(database, pipe_id, removals); });
}

Status SqliteCatalog::DeletePipe(const std::string& pipe_id) {
  return writer_.Write([&](Sqlite& database) -> Status {
    PENSTOCK_ASSIGN(const int64_t changed,
                    database.Run("DELETE FROM pipes WHERE id = ?", {pipe_id}));
    if (changed == 0) return NoSuchPipe(pipe_id);
    return {};
  });
}

Status SqliteCatalog::SaveTransition(const std::string& pipe_id, const Transition& transition) {
  return writer_.Write([&](Sqlite& database) {
    return StoreTransition(database, pipe_id, transition, clock_->Wall());
  });
}

Result<std::vector<Transition>> SqliteCatalog::Transitions(const std::string& pipe_id,
                                                           size_t limit) {
  std::vector<Transition> transitions;
  PENSTOCK_TRY(Read(
      "SELECT from_state, to_state, resume_state, reason, at FROM transitions WHERE pipe_id = ? "
      "ORDER BY number DESC LIMIT ?",
      {pipe_id, ToStored(limit)}, [&](const SqlRow& row) {
        transitions.push_back({.from = row.Text(0),
                               .to = row.Text(1),
                               .resume_state = row.Text(2),
                               .reason = row.Text(3),
                               .at = row.Time(4)});
        return Status();
      }));
  return transitions;
}

Status SqliteCatalog::FinishSetup(const std::string& pipe_id, std::vector<TableRecord>& tables,
                                  const Checkpoint& start, const Transition& transition) {
  std::vector<int64_t> ids;
  PENSTOCK_TRY(writer_.Write([&](Sqlite& database) -> Status {
    PENSTOCK_TRY(StoreTransition(database, pipe_id, transition, clock_->Wall()));
    PENSTOCK_TRY(StoreCheckpoint(database, pipe_id, start));
    ids.clear();
    for (const TableRecord& table : tables) {
      PENSTOCK_ASSIGN(const int64_t id, InsertTable(database, pipe_id, table));
      ids.push_back(id);
    }
    return {};
  }));
  for (size_t i = 0; i < tables.size(); ++i) tables[i].id = ids[i];
  return {};
}

Result<std::vector<TableRecord>> SqliteCatalog::Tables(const std::string& pipe_id) {
  std::vector<TableRecord> tables;
  PENSTOCK_TRY(Read(kSelectTables, {pipe_id}, [&](const SqlRow& row) -> Status {
    PENSTOCK_ASSIGN(TableRecord table, ReadTable(row));
    tables.push_back(std::move(table));
    return {};
  }));
  return tables;
}

Status SqliteCatalog::BeginLoad(const std::vector<LoadTargetRecord>& targets) {
  return writer_.Write([&](Sqlite& database) -> Status {
    for (const auto& [table_id, name, uuid] : targets) {
      PENSTOCK_TRY(StoreLoadTarget(database, {table_id, name, uuid}));
      PENSTOCK_TRY(ForgetLoad(database, table_id));
    }
    return {};
  });
}

Status SqliteCatalog::WantReload(const std::string& pipe_id, const std::vector<int64_t>& table_ids,
                                 bool forget_position, const Transition& transition) {
  return writer_.Write([&](Sqlite& database) -> Status {
    PENSTOCK_TRY(StoreTransition(database, pipe_id, transition, clock_->Wall()));
    for (const int64_t id : table_ids) {
      PENSTOCK_TRY(database.Run("UPDATE tables SET reload_wanted = 1 WHERE id = ?", {id}));
    }
    if (!forget_position) return {};
    return database.Run("UPDATE pipes SET position = NULL WHERE id = ?", {pipe_id}).map([](auto) {
    });
  });
}

Status SqliteCatalog::BeginReload(const std::string& pipe_id,
                                  const std::vector<TableRecord>& tables,
                                  const std::optional<Checkpoint>& checkpoint,
                                  const Transition& transition) {
  return writer_.Write([&](Sqlite& database) -> Status {
    PENSTOCK_TRY(StoreTransition(database, pipe_id, transition, clock_->Wall()));
    if (checkpoint) PENSTOCK_TRY(RaiseCheckpoint(database, pipe_id, *checkpoint));
    std::vector<int64_t> ids(tables.size());
    std::ranges::transform(tables, ids.begin(), &TableRecord::id);
    PENSTOCK_TRY(ForgetOpen(database, pipe_id, ids));
    for (const TableRecord& table : tables) {
      PENSTOCK_TRY(ForgetLoad(database, table.id));
      PENSTOCK_TRY(StoreReload(database, table));
      if (!table.quarantine) continue;
      PENSTOCK_TRY(StoreQuarantine(database, {table.id, *table.quarantine}, clock_->Wall()));
    }
    return {};
  });
}

Status SqliteCatalog::EndReload(const std::string& pipe_id, const std::vector<int64_t>& table_ids,
                                const Transition& transition) {
  return writer_.Write([&](Sqlite& database) -> Status {
    PENSTOCK_TRY(StoreTransition(database, pipe_id, transition, clock_->Wall()));
    for (const int64_t id : table_ids) {
      PENSTOCK_TRY(StoreReloadEnd(database, id));
    }
    return {};
  });
}

Status SqliteCatalog::EndLoad(const std::vector<LoadTargetRecord>& targets) {
  return writer_.Write([&](Sqlite& database) -> Status {
    for (const auto& target : targets) PENSTOCK_TRY(StoreLoadTarget(database, target));
    return {};
  });
}

Status SqliteCatalog::BeginSnapshot(const std::string& pipe_id,
                                    const std::vector<LoadTargetRecord>& targets,
                                    const model::Position& start) {
  return writer_.Write([&](Sqlite& database) -> Status {
    std::vector<int64_t> ids;
    for (const auto& target : targets) {
      ids.push_back(target.table_id);
      PENSTOCK_TRY(StoreLoadTarget(database, target));
      PENSTOCK_TRY(ForgetLoad(database, target.table_id));
      PENSTOCK_TRY(StoreStart(database, target.table_id, start, std::nullopt));
    }
    return ForgetOpen(database, pipe_id, ids);
  });
}

Status SqliteCatalog::AddPartitions(int64_t table_id,
                                    const std::vector<PartitionRecord>& partitions,
                                    bool planned_to_the_end, const SizeEstimate& estimate) {
  return writer_.Write([&](Sqlite& database) -> Status {
    PENSTOCK_ASSIGN(const int64_t changed,
                    database.Run("UPDATE tables SET partitions_planned = ?, rows_estimated = ?, "
                                 "bytes_estimated = ? WHERE id = ?",
                                 {planned_to_the_end, ToStored(estimate.rows),
                                  ToStored(estimate.bytes), table_id}));
    if (changed == 0) return Fail(ErrorCode::kNotFound, "no table with id {}", table_id);
    PENSTOCK_ASSIGN(
        const std::optional<int64_t> first,
        database.QueryInt("SELECT coalesce(max(number) + 1, 0) FROM partitions WHERE table_id = ?",
                          {table_id}));
    int64_t number = first.value_or(0);
    for (const PartitionRecord& partition : partitions) {
      PENSTOCK_TRY(InsertPartition(database, table_id, number++, partition));
    }
    return {};
  });
}

Result<std::vector<PartitionRecord>> SqliteCatalog::Partitions(const std::string& pipe_id) {
  std::vector<PartitionRecord> partitions;
  PENSTOCK_TRY(Read(SelectPartitions("ORDER BY table_id, number").c_str(), {pipe_id},
                    [&](const SqlRow& row) { return AddPartition(row, partitions); }));
  return partitions;
}

Result<std::vector<PartitionRecord>> SqliteCatalog::LatestPartitions(
    const std::string& pipe_id, std::optional<int64_t> table_id, size_t limit) {
  std::vector<PartitionRecord> partitions;
  PENSTOCK_TRY(Read(SelectPartitions("AND (?2 = 0 OR table_id = ?2) ORDER BY started_at DESC, "
                                     "table_id, number LIMIT ?3")
                        .c_str(),
                    {pipe_id, table_id.value_or(0), ToStored(limit)},
                    [&](const SqlRow& row) { return AddPartition(row, partitions); }));
  return partitions;
}

Result<uint32_t> SqliteCatalog::BeginAttempt(int64_t table_id, uint32_t index,
                                             UnixMicros started_at) {
  std::optional<int64_t> number;
  PENSTOCK_TRY(writer_.Write([&](Sqlite& database) -> Status {
    PENSTOCK_TRY(
        database.Run("UPDATE tables SET attempts = attempts + 1 WHERE id = ?", {table_id}));
    PENSTOCK_TRY(
        database.Run("UPDATE partitions SET started_at = ? WHERE table_id = ? AND number = ?",
                     {ToStored(started_at), table_id, index}));
    PENSTOCK_ASSIGN(number,
                    database.QueryInt("SELECT attempts FROM tables WHERE id = ?", {table_id}));
    return {};
  }));
  if (!number) return Fail(ErrorCode::kNotFound, "no table with id {}", table_id);
  return static_cast<uint32_t>(*number);
}

Status SqliteCatalog::FinishPartition(int64_t table_id, const FinishedPartition& partition,
                                      const std::vector<ValueChangeRecord>& changes) {
  return writer_.Write([&](Sqlite& database) -> Status {
    PENSTOCK_ASSIGN(const int64_t changed,
                    database.Run("UPDATE partitions SET done = 1, row_count = ?, bytes = ?, "
                                 "finished_at = ? WHERE table_id = ? AND number = ?",
                                 {ToStored(partition.rows), ToStored(partition.bytes),
                                  ToStored(partition.at), table_id, partition.index}));
    if (changed == 0) {
      return Fail(ErrorCode::kNotFound, "no partition {} of table {}", partition.index, table_id);
    }
    return AddValueChanges(database, changes, clock_->Wall());
  });
}

Result<Checkpoint> SqliteCatalog::LoadCheckpoint(const std::string& pipe_id) {
  std::optional<Checkpoint> checkpoint;
  PENSTOCK_TRY(
      Read("SELECT position, versions_reserved_end, open_transaction, prepared_transactions, sent "
           "FROM pipes WHERE id = ? AND position IS NOT NULL",
           {pipe_id}, [&](const SqlRow& row) -> Status {
             PENSTOCK_ASSIGN(model::Position position, model::Position::Parse(row.Text(0)));
             PENSTOCK_ASSIGN(OpenTransaction open, DecodeOpen(row.Text(2)));
             PENSTOCK_ASSIGN(auto prepared, DecodePrepared(row.Text(3)));
             PENSTOCK_ASSIGN(auto sent, DecodeSent(row.Text(4)));
             checkpoint = {.position = std::move(position),
                           .versions_reserved_end = row.Unsigned(1),
                           .open = std::move(open),
                           .prepared = std::move(prepared),
                           .sent = std::move(sent)};
             return {};
           }));
  if (!checkpoint) return Fail(ErrorCode::kNotFound, "pipe {} has no checkpoint yet", pipe_id);
  return *std::move(checkpoint);
}

Status SqliteCatalog::SaveCheckpoint(const std::string& pipe_id, const Checkpoint& checkpoint,
                                     const CheckpointNews& news) {
  return writer_.Write([&](Sqlite& database) -> Status {
    PENSTOCK_TRY(StoreCheckpoint(database, pipe_id, checkpoint));
    return StoreNews(database, pipe_id, news, clock_->Wall());
  });
}

Status SqliteCatalog::WantRetry(const std::string& pipe_id, const std::vector<int64_t>& table_ids,
                                const EventRecord& event) {
  return writer_.Write([&](Sqlite& database) -> Status {
    for (const int64_t id : table_ids) PENSTOCK_TRY(SetRetryWanted(database, id));
    return InsertEvent(database, pipe_id, event, clock_->Wall());
  });
}

Status SqliteCatalog::SaveRetry(const std::string& pipe_id, const std::vector<RetryRecord>& tables,
                                const CheckpointNews& news) {
  return writer_.Write([&](Sqlite& database) -> Status {
    for (const auto& table : tables) PENSTOCK_TRY(StoreRetry(database, table));
    for (const int64_t table_id : news.settled) PENSTOCK_TRY(StartAfterInsert(database, table_id));
    return StoreNews(database, pipe_id, news, clock_->Wall());
  });
}

Status SqliteCatalog::EndRetry(const std::string& pipe_id,
                               const std::vector<FollowedRecord>& tables,
                               const EventRecord& event) {
  return writer_.Write([&](Sqlite& database) -> Status {
    std::vector<int64_t> ids(tables.size());
    std::ranges::transform(tables, ids.begin(), &FollowedRecord::table_id);
    PENSTOCK_TRY(ForgetOpen(database, pipe_id, ids));  // of the stream, before the quarantine
    for (const auto& table : tables) PENSTOCK_TRY(StoreFollowed(database, table));
    return InsertEvent(database, pipe_id, event, clock_->Wall());
  });
}

Result<std::vector<InsertRecord>> SqliteCatalog::Inserts(const std::string& pipe_id) {
  std::vector<InsertRecord> inserts;
  PENSTOCK_TRY(Read(kSelectInserts.data(), {pipe_id}, [&](const SqlRow& row) -> Status {
    PENSTOCK_ASSIGN(InsertRecord insert, ReadInsert(row));
    inserts.push_back(std::move(insert));
    return {};
  }));
  return inserts;
}

Status SqliteCatalog::SettleInsert(const InsertRecord& insert, bool is_there) {
  return writer_.Write([&](Sqlite& database) -> Status {
    if (is_there) {
      return StoreStart(database, insert.table_id, insert.start, insert.start_part);
    }
    return ForgetInsert(database, insert.table_id);
  });
}

Result<std::vector<ValueChangeRecord>> SqliteCatalog::ValueChanges(const std::string& pipe_id) {
  std::vector<ValueChangeRecord> changes;
  PENSTOCK_TRY(
      Read("SELECT table_id, column_name, clamped, nulled, replaced FROM value_changes "
           "JOIN tables ON tables.id = table_id WHERE pipe_id = ? ORDER BY table_id, column_name",
           {pipe_id}, [&](const SqlRow& row) {
             ValueChangeRecord& record = changes.emplace_back();
             record.table_id = row.Int(0);
             record.column = row.Text(1);
             for (int i = 0; i < static_cast<int>(record.counts.counts.size()); ++i) {
               record.counts.counts[static_cast<size_t>(i)] = row.Unsigned(2 + i);
             }
             return Status();
           }));
  return changes;
}

Status SqliteCatalog::AddEvent(const std::string& pipe_id, const EventRecord& event) {
  return writer_.Write([&](Sqlite& database) -> Status {
    PENSTOCK_TRY(RequirePipe(database, pipe_id));
    return InsertEvent(database, pipe_id, event, clock_->Wall());
  });
}

Result<std::vector<EventRecord>> SqliteCatalog::Events(const std::string& pipe_id, size_t limit) {
  std::vector<EventRecord> events;
  PENSTOCK_TRY(Read(
      "SELECT at, level, kind, text FROM events WHERE pipe_id = ? AND at >= ? "
      "ORDER BY number DESC LIMIT ?",
      {pipe_id, ToStored(clock_->Wall() - kEventAge), ToStored(limit)}, [&](const SqlRow& row) {
        events.push_back(
            {.at = row.Time(0), .level = row.Text(1), .kind = row.Text(2), .text = row.Text(3)});
        return Status();
      }));
  return events;
}

Result<std::optional<AnswerRecord>> SqliteCatalog::Answer(const std::string& key) {
  MutexLock lock(reading_mutex_);
  PENSTOCK_ASSIGN(auto answer, ReadAnswer(*reading_, key, clock_->Wall()));
  if (!answer) return answer;
  PENSTOCK_ASSIGN(answer->request_hash, key_.Unseal(answer->request_hash));
  return answer;
}

Status SqliteCatalog::SaveAnswer(const AnswerRecord& answer) {
  AnswerRecord sealed =
      answer;  // a hash of a request that holds a password would let it be guessed
  sealed.request_hash = key_.Seal(answer.request_hash);
  return writer_.Write([&](Sqlite& database) { return StoreAnswer(database, sealed); });
}

Result<std::string> SqliteCatalog::Setting(const std::string& name) {
  MutexLock lock(reading_mutex_);
  return ReadMeta(*reading_, "setting_" + name).map([](const auto& found) {
    return found.value_or("");
  });
}

Status SqliteCatalog::SaveSetting(const std::string& name, const std::string& value) {
  return writer_.Write(
      [&](Sqlite& database) { return WriteMeta(database, "setting_" + name, value); });
}

Result<std::vector<BatchRecord>> SqliteCatalog::Batches(const std::string& pipe_id, size_t limit) {
  std::vector<BatchRecord> batches;
  PENSTOCK_TRY(Read(kBatchesQuery, {pipe_id, ToStored(clock_->Wall() - kBatchAge), ToStored(limit)},
                    [&](const SqlRow& row) -> Status {
                      PENSTOCK_ASSIGN(batches.emplace_back(), ReadBatch(row));
                      return {};
                    }));
  return batches;
}

}  // namespace

Result<std::unique_ptr<Catalog>> Catalog::Open(const Options& options) {
  PENSTOCK_ASSIGN(std::unique_ptr<DataDir> data_dir, DataDir::Hold(options.data_dir));
  const fs::path file = options.data_dir / "catalog.sqlite";
  PENSTOCK_ASSIGN(std::unique_ptr<Sqlite> writing, Sqlite::Open(file));
  PENSTOCK_TRY(Upgrade(*writing, file));
  PENSTOCK_TRY(NoteRestore(*writing, options.clock->Wall()));
  const fs::path key_file =
      options.secret_key_file.empty() ? options.data_dir / "secret.key" : options.secret_key_file;
  PENSTOCK_ASSIGN(const SecretKey key, OpenKey(*writing, key_file));
  PENSTOCK_ASSIGN(std::string organization_id, MetaOrRandomUuid(*writing, "organization_id"));
  PENSTOCK_ASSIGN(std::string service_id, MetaOrRandomUuid(*writing, "service_id"));
  PENSTOCK_ASSIGN(std::unique_ptr<Sqlite> reading, Sqlite::Open(file));
  PENSTOCK_TRY(reading->Script("PRAGMA query_only=ON"));
  return std::make_unique<SqliteCatalog>(
      SqliteCatalog::Parts{.data_dir = std::move(data_dir),
                           .writing = std::move(writing),
                           .reading = std::move(reading),
                           .key = key,
                           .organization_id = std::move(organization_id),
                           .service_id = std::move(service_id),
                           .clock = options.clock});
}

}  // namespace penstock::catalog
