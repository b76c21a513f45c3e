#include "pipe/journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "clickhouse/ddl.h"
#include "mysql/wire/start_position.h"
#include "pipe/attention.h"
#include "pipe/flow_parts.h"

namespace penstock::pipe {
namespace {

// Of the place in files a session by GTID knows nothing before its first transaction.
bool HasRead(const model::Position& position, const std::string& gtids) {
  model::Position logged;
  logged.mechanism = position.mechanism;
  if (gtids.empty()) return false;
  if (position.mechanism == model::Mechanism::kMysqlGtid) {
    logged.mysql = model::MysqlGtidSet::Parse(gtids).value_or(logged.mysql);
    return !logged.mysql.empty() && mysql::Reaches(position, logged);
  }
  if (position.mechanism == model::Mechanism::kMariadbGtid) {
    logged.mariadb = model::MariadbGtidPosition::Parse(gtids).value_or(logged.mariadb);
    return !logged.mariadb.gtids().empty() && mysql::Reaches(position, logged);
  }
  return false;
}

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// One catalog write for so many row changes.
constexpr uint64_t kVersionsPerReservation = uint64_t{1} << 24;

// The stream tells of itself at least once a second; a lag older than that grows.
constexpr milliseconds kLagFresh{3'000};

// One answer that came late says nothing.
constexpr size_t kAnswersSeen = 3;

model::Position ReadBetween(const model::Position& begin, const model::Position& end) {
  model::Position read = end;
  read.mysql = end.mysql.Without(begin.mysql);
  read.mariadb = end.mariadb.Without(begin.mariadb);
  return read;
}

std::vector<catalog::ValueChangeRecord> Records(int64_t table_id,
                                                const model::ValueChanges& changes) {
  std::vector<catalog::ValueChangeRecord> records;
  for (const auto& [column, counts] : changes) {
    records.push_back({.table_id = table_id, .column = column, .counts = counts});
  }
  return records;
}

}  // namespace

Journal::Journal(Options options)
    : catalog_(options.catalog),
      clock_(options.clock),
      pipe_id_(std::move(options.pipe_id)),
      database_(std::move(options.database)),
      cluster_(std::move(options.cluster)),
      on_quarantine_(std::move(options.on_quarantine)),
      on_made_(std::move(options.on_made)),
      on_flowing_(std::move(options.on_flowing)),
      on_warning_(std::move(options.on_warning)),
      checkpoint_(std::move(options.checkpoint)),
      recorded_to_(checkpoint_.position),
      versions_next_(checkpoint_.versions_reserved_end),
      last_batch_number_(options.last_batch_number) {
  progress_.position = checkpoint_.position;
  progress_.prepared = checkpoint_.prepared;
  progress_.rows = options.before.rows;
  progress_.batches = options.before.batches;
  progress_.tables = std::move(options.before.tables);
  progress_.tables.resize(options.tables.size());
  for (size_t i = 0; i < options.tables.size(); ++i) {
    table_ids_.push_back(options.tables[i].id);
    targets_.push_back(options.tables[i].filled_by());
    progress_.tables[i].changes.clear();
    progress_.tables[i].quarantine = options.tables[i].quarantine;
    if (options.tables[i].quarantine) quarantined_.insert(i);
    progress_.tables[i].ddl = options.tables[i].ddl;
  }
  for (const auto& [table_id, column, counts] : options.changes) {
    if (auto* table = FindTable(table_id)) AddTo(table->changes, {{column, counts}});
  }
}

StreamProgress::Table* Journal::FindTable(int64_t table_id) {
  const auto found = std::ranges::find(table_ids_, table_id);
  if (found == table_ids_.end()) return nullptr;
  return &progress_.tables[static_cast<size_t>(found - table_ids_.begin())];
}

Status Journal::AddPartition(int64_t table_id, const std::optional<snapshot::Partition>& partition,
                             bool is_last, const snapshot::LoadFigures& figures) {
  std::vector<catalog::PartitionRecord> records;
  if (partition) {
    records.push_back({.table_id = table_id,
                       .index = partition->index,
                       .lower = partition->lower,
                       .upper = partition->upper,
                       .done = false,
                       .rows = 0,
                       .bytes = 0});
  }
  return catalog_->AddPartitions(
      table_id, records, is_last,
      {.rows = figures.rows_estimated, .bytes = figures.bytes_estimated});
}

Result<uint32_t> Journal::BeginAttempt(int64_t table_id, uint32_t index, UnixMicros started_at) {
  return catalog_->BeginAttempt(table_id, index, started_at);
}

Status Journal::FinishPartition(int64_t table_id, const snapshot::LoadedPartition& partition) {
  PENSTOCK_TRY(catalog_->FinishPartition(table_id,
                                         {.index = partition.index,
                                          .rows = partition.rows,
                                          .bytes = partition.bytes,
                                          .at = clock_->Wall()},
                                         Records(table_id, partition.changes)));
  MutexLock lock(progress_mutex_);
  if (auto* table = FindTable(table_id)) AddTo(table->changes, partition.changes);
  return {};
}

void Journal::RaiseVersions(uint64_t first) {
  MutexLock lock(mutex_);
  versions_next_ = std::max(versions_next_, first);
}

Result<stream::VersionRange> Journal::ReserveVersions() {
  MutexLock lock(mutex_);
  const stream::VersionRange range{.begin = versions_next_,
                                   .end = versions_next_ + kVersionsPerReservation};
  catalog::Checkpoint reserved = checkpoint_;
  reserved.versions_reserved_end = range.end;
  PENSTOCK_TRY(catalog_->SaveCheckpoint(pipe_id_, reserved, {}));
  checkpoint_ = std::move(reserved);
  versions_next_ = range.end;
  return range;
}

// What an attempt before had sent stands beside it.
Status Journal::RecordSending(const stream::Sending& sending) {
  catalog::CheckpointNews news;
  for (const auto& insert : sending.inserts) {
    news.inserts.push_back({.table_id = table_ids_.at(insert.table),
                            .target = targets_.at(insert.table),
                            .version_begin = insert.version_begin,
                            .version_end = insert.version_end,
                            .rows = insert.rows,
                            .start = insert.start,
                            .start_part = insert.start_part});
  }
  MutexLock lock(mutex_);
  catalog::Checkpoint next = checkpoint_;
  if (!next.sent) next.sent = {.read_to = sending.read_to, .table_ids = {}};
  mysql::Join(next.sent->read_to, sending.read_to);
  std::set<int64_t> tables(next.sent->table_ids.begin(), next.sent->table_ids.end());
  for (const size_t table : sending.tables) tables.insert(table_ids_.at(table));
  next.sent->table_ids.assign(tables.begin(), tables.end());
  PENSTOCK_TRY(catalog_->SaveCheckpoint(pipe_id_, next, news));
  checkpoint_ = std::move(next);
  for (const auto& insert : news.inserts) inserts_.insert(insert.table_id);
  return {};
}

// With the tables of an earlier part of the transaction that ends here: its GTID is in this record.
std::vector<catalog::BatchRecord::Table> Journal::ChangesOf(
    const stream::Acknowledged& acknowledged) const {
  std::vector<catalog::BatchRecord::Table> changes;
  for (const auto& [table, counts, ignored] : acknowledged.tables) {
    changes.push_back({.table_id = table_ids_.at(table),
                       .inserted = counts.inserted,
                       .updated = counts.updated,
                       .deleted = counts.deleted});
  }
  const auto add = [&changes](int64_t table_id) {
    if (std::ranges::count(changes, table_id, &catalog::BatchRecord::Table::table_id) == 0) {
      changes.push_back({.table_id = table_id});
    }
  };
  for (const auto& [table_id, ignored] : checkpoint_.open.tables) add(table_id);
  if (acknowledged.truncated) add(table_ids_.at(*acknowledged.truncated));
  return changes;
}

catalog::DefinitionRecord Journal::DefinitionOf(const stream::Acknowledged& acknowledged) const {
  const auto& [table, before, start, definition, columns] = *acknowledged.added;
  return {.table_id = table_ids_.at(table),
          .definition = definition,
          .ddl = columns.empty()
                     ? ""
                     : clickhouse::AlterTableAdd(database_, targets_.at(table), columns, cluster_),
          .start = start};
}

std::optional<catalog::BatchRecord> Journal::BatchOf(
    const stream::Acknowledged& acknowledged) const {
  // The end of a transaction in parts may have no rows of its own.
  const bool ends_open = !checkpoint_.open.tables.empty() && acknowledged.open.tables.empty();
  if (acknowledged.rows == 0 && !ends_open && !acknowledged.truncated) return std::nullopt;
  return catalog::BatchRecord{.number = last_batch_number_ + 1,
                              .rows = acknowledged.rows,
                              .bytes = acknowledged.bytes,
                              .tables = static_cast<uint32_t>(acknowledged.tables.size()),
                              .started_at = acknowledged.started_at,
                              .finished_at = acknowledged.finished_at,
                              .reading = acknowledged.reading,
                              .decoding = acknowledged.decoding,
                              .changes = ChangesOf(acknowledged),
                              .read = ReadBetween(recorded_to_, acknowledged.end)};
}

catalog::CheckpointNews Journal::NewsOf(const stream::Acknowledged& acknowledged) const {
  catalog::CheckpointNews news;
  for (const auto& table : acknowledged.tables) {
    const auto records = Records(table_ids_.at(table.table), table.changes);
    news.changes.insert(news.changes.end(), records.begin(), records.end());
    const int64_t table_id = table_ids_.at(table.table);
    if (inserts_.contains(table_id)) news.settled.push_back(table_id);
  }
  for (const auto& fence : acknowledged.fences) {
    news.quarantines.push_back({.table_id = table_ids_.at(fence.table),
                                .quarantine = {.position = fence.position,
                                               .reason = fence.error.ToString(),
                                               .since = acknowledged.finished_at,
                                               .gone = fence.gone},
                                .reload_wanted = fence.heals == stream::Heals::kByResync,
                                .part = fence.position == checkpoint_.position
                                            ? PartAfter(checkpoint_, table_ids_.at(fence.table))
                                            : std::nullopt});
  }
  for (const auto& notice : acknowledged.notices) {
    news.events.push_back(
        {.at = acknowledged.finished_at, .level = "warning", .kind = "stream", .text = notice});
  }
  if (acknowledged.added) {
    news.definitions.push_back(DefinitionOf(acknowledged));
    const std::string& ddl = news.definitions[0].ddl;
    news.events.push_back({.at = acknowledged.finished_at,
                           .level = "info",
                           .kind = "ddl",
                           .text = fmt::format("columns were added to {}{}{}",
                                               news.definitions[0].definition.name.ToString(),
                                               ddl.empty() ? "" : ": ", ddl)});
  }
  if (acknowledged.truncated) news.truncated.push_back(table_ids_.at(*acknowledged.truncated));
  for (const size_t table : acknowledged.stale) news.stale.push_back(table_ids_.at(table));
  news.made_anew = MadeAnew(acknowledged);
  return news;
}

// A table that was dropped is quarantined before it is made again, in this batch perhaps.
std::vector<int64_t> Journal::MadeAnew(const stream::Acknowledged& acknowledged) const {
  std::vector<int64_t> made_anew;
  MutexLock lock(progress_mutex_);
  for (const auto& made : acknowledged.made) {
    if (!made.table) continue;
    const bool fenced =
        std::ranges::count(acknowledged.fences, *made.table, &stream::Fence::table) != 0;
    if (fenced || progress_.tables.at(*made.table).quarantine) {
      made_anew.push_back(table_ids_.at(*made.table));
    }
  }
  return made_anew;
}

Status Journal::Acknowledge(const stream::Acknowledged& acknowledged) {
  bool made = std::ranges::any_of(acknowledged.made, [](const auto& one) { return !one.table; });
  {
    MutexLock lock(mutex_);
    catalog::CheckpointNews news = NewsOf(acknowledged);
    news.batch = BatchOf(acknowledged);
    catalog::Checkpoint next = checkpoint_;
    next.position = acknowledged.end;
    next.prepared = acknowledged.prepared;
    if (next.sent && mysql::Reaches(next.position, next.sent->read_to)) next.sent.reset();
    next.open = {.gtid = acknowledged.open.gtid, .tables = {}};
    for (const auto& [table, rows] : acknowledged.open.tables) {
      next.open.tables.push_back({table_ids_.at(table), rows});
    }
    PENSTOCK_TRY(catalog_->SaveCheckpoint(pipe_id_, next, news));
    checkpoint_ = std::move(next);
    Remember(acknowledged, news);
    made = made || !news.made_anew.empty();
  }
  on_flowing_();
  if (made) on_made_(acknowledged.end);
  if (!acknowledged.fences.empty()) on_quarantine_();
  return {};
}

// A prepared XA transaction is known only to who has read it: the place to go on from stays before.
Status Journal::AcknowledgeRetry(const stream::Acknowledged& acknowledged,
                                 const std::vector<size_t>& tables) {
  {
    MutexLock lock(mutex_);
    catalog::CheckpointNews news = NewsOf(acknowledged);
    for (auto& record : news.quarantines) record.part.reset();  // the stream's, of before the retry
    const StreamProgress now = progress();
    std::vector<catalog::RetryRecord> records;
    for (const size_t table : tables) {
      const auto& quarantine = now.tables.at(table).quarantine;
      const bool over = !quarantine || !quarantine->retrying ||
                        std::ranges::count(acknowledged.fences, table, &stream::Fence::table) != 0;
      if (over || !acknowledged.prepared.empty()) continue;
      model::Position reached = acknowledged.end;
      mysql::Join(reached, quarantine->position);
      records.push_back({table_ids_.at(table), std::move(reached)});
    }
    PENSTOCK_TRY(catalog_->SaveRetry(pipe_id_, records, news));
    MutexLock progress_lock(progress_mutex_);
    RememberTables(acknowledged, news);
    for (auto& [table_id, position] : records) {
      auto* table = FindTable(table_id);
      if (table != nullptr) table->quarantine->position = std::move(position);
    }
  }
  if (!acknowledged.fences.empty()) on_quarantine_();
  return {};
}

void Journal::BeginRetry(const std::vector<int64_t>& table_ids) {
  MutexLock lock(progress_mutex_);
  for (const int64_t table_id : table_ids) {
    auto* table = FindTable(table_id);
    if (table != nullptr && table->quarantine) table->quarantine->retrying = true;
  }
}

Status Journal::FailRetry(const std::vector<size_t>& tables, const Error& error) {
  MutexLock lock(mutex_);
  const StreamProgress now = progress();
  catalog::CheckpointNews news;
  for (const size_t table : tables) {
    auto quarantine = now.tables.at(table).quarantine;
    if (!quarantine || !quarantine->retrying) continue;
    quarantine->retrying = false;
    quarantine->reason = error.ToString();
    quarantine->since = clock_->Wall();
    news.quarantines.push_back({.table_id = table_ids_.at(table), .quarantine = *quarantine});
  }
  if (news.quarantines.empty()) return {};
  PENSTOCK_TRY(catalog_->SaveRetry(pipe_id_, {}, news));
  MutexLock progress_lock(progress_mutex_);
  RememberTables({}, news);
  return {};
}

void Journal::Remember(const stream::Acknowledged& acknowledged,
                       const catalog::CheckpointNews& news) {
  if (news.batch) {
    last_batch_number_ = news.batch->number;
    recorded_to_ = acknowledged.end;
  }
  MutexLock lock(progress_mutex_);
  progress_.position = checkpoint_.position;
  progress_.prepared = checkpoint_.prepared;
  RememberTables(acknowledged, news);
  if (news.batch) {
    const UnixMicros took =
        std::max(acknowledged.finished_at - acknowledged.started_at, UnixMicros(0));
    progress_.last_batch_rows = acknowledged.rows;
    progress_.last_batch_duration = duration_cast<milliseconds>(took);
    last_batch_at_ = clock_->Steady();
    progress_.batches.inserting.Observe(took);
    progress_.batches.reading += acknowledged.reading;
    progress_.batches.decoding += acknowledged.decoding;
  }
  if (acknowledged.last_commit.count() != 0) {
    const auto lag =
        duration_cast<milliseconds>(acknowledged.finished_at - acknowledged.last_commit);
    progress_.lag = std::max(lag, milliseconds(0));
    lag_known_at_ = clock_->Steady();
  }
}

void Journal::RememberTables(const stream::Acknowledged& acknowledged,
                             const catalog::CheckpointNews& news) {
  for (const int64_t table_id : news.settled) inserts_.erase(table_id);
  progress_.rows += acknowledged.rows;
  for (const auto& table : acknowledged.tables) {
    auto& total = progress_.tables.at(table.table);
    total.counts.inserted += table.counts.inserted;
    total.counts.updated += table.counts.updated;
    total.counts.deleted += table.counts.deleted;
    AddTo(total.changes, table.changes);
  }
  for (const auto& record : news.quarantines) {
    if (auto* table = FindTable(record.table_id)) {
      table->quarantine = record.quarantine;
      quarantined_.insert(static_cast<size_t>(table - progress_.tables.data()));
    }
    more_quarantined_.notify_all();
  }
  for (const auto& record : news.definitions) {
    auto* table = FindTable(record.table_id);
    if (table != nullptr && !record.ddl.empty()) table->ddl += ";\n" + record.ddl;
  }
}

Status Journal::AwaitQuarantine(size_t table, std::stop_token stop) {
  MutexLock lock(progress_mutex_);
  const bool quarantined = more_quarantined_.wait(
      progress_mutex_, std::move(stop),
      [&]() REQUIRES(progress_mutex_) { return quarantined_.contains(table); });
  if (!quarantined) return Fail(ErrorCode::kCancelled, "stopped");
  return {};
}

void Journal::ForgetCounts(const std::vector<catalog::TableRecord>& tables) {
  MutexLock lock(progress_mutex_);
  for (const auto& record : tables) {
    if (auto* table = FindTable(record.id)) table->counts = {};
  }
}

void Journal::ForgetLag() {
  MutexLock lock(progress_mutex_);
  progress_.lag.reset();
}

void Journal::CaughtUp() {
  {
    MutexLock lock(progress_mutex_);
    progress_.lag = milliseconds(0);
    lag_known_at_ = clock_->Steady();
  }
  on_flowing_();
}

void Journal::SourceSeen(const std::optional<stream::SourceLog>& log) {
  if (log) {
    MutexLock lock(progress_mutex_);
    progress_.source = log;
    answers_.push_back(log->answered_in);
    if (answers_.size() > kAnswersSeen) answers_.pop_front();
    if (answers_.size() == kAnswersSeen)
      progress_.source_answer = *std::ranges::min_element(answers_);
  }
  const StreamSummary now = summary();
  const auto left = now.retention_left();
  if (!left) return;
  const auto kept = *now.source->retention;
  const bool short_of_time = *left * kRetentionLeftPart < kept;
  {
    MutexLock lock(progress_mutex_);
    if (std::exchange(retention_warned_, short_of_time) || !short_of_time) return;
  }
  on_warning_(
      fmt::format("the source keeps its log for {} s, and the pipe is {} s behind: in {} s what it "
                  "has not read "
                  "may be gone. Find out what holds the pipe up, or have the log kept for longer "
                  "(binlog_expire_logs_seconds, expire_logs_days)",
                  kept.count(), (kept - *left).count(), left->count()));
}

std::optional<uint64_t> StreamSummary::lag_bytes() const {
  if (!source || source->server != position.server) return std::nullopt;
  if (HasRead(position, source->gtids)) return 0;
  return mysql::BytesAfter(source->files, position);
}

std::optional<std::chrono::seconds> StreamSummary::retention_left() const {
  if (!source || !source->retention || !lag) return std::nullopt;
  return std::max(*source->retention - std::chrono::floor<std::chrono::seconds>(*lag),
                  std::chrono::seconds(0));
}

model::Position Journal::position() const {
  MutexLock lock(progress_mutex_);
  return progress_.position;
}

StreamProgress Journal::progress() const {
  MutexLock lock(progress_mutex_);
  StreamProgress progress = progress_;
  Age(progress);
  return progress;
}

StreamSummary Journal::summary() const {
  MutexLock lock(progress_mutex_);
  StreamSummary summary = static_cast<const StreamSummary&>(progress_);
  Age(summary);
  return summary;
}

void Journal::Age(StreamSummary& summary) const {
  const SteadyTime now = clock_->Steady();
  const auto age = duration_cast<milliseconds>(now - lag_known_at_);
  if (summary.lag && age > kLagFresh) *summary.lag += age;
  summary.last_batch_age = duration_cast<milliseconds>(now - last_batch_at_);
}

std::set<size_t> Journal::quarantined() const {
  MutexLock lock(progress_mutex_);
  return quarantined_;
}

}  // namespace penstock::pipe
