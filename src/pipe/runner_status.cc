#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "pipe/named_commands.h"
#include "pipe/runner.h"

// What a runner tells of its pipe.

namespace penstock::pipe {
namespace {

std::string InFiles(const std::string& file, uint64_t offset) {
  return file.empty() ? "" : fmt::format("{}:{}", file, offset);
}

void ShowPosition(const StreamProgress& stream, PipeStatus& status) {
  const model::Position& position = stream.position;
  if (position == model::Position()) return;  // of a pipe without a stream
  status.mechanism = model::MechanismName(position.mechanism);
  status.position = position.ToString();
  status.position_in_files = InFiles(position.file, position.offset);
  if (!stream.source) return;
  const stream::SourceLog& source = *stream.source;
  if (!source.files.empty()) {
    status.source_position_in_files = InFiles(source.files.back().name, source.files.back().bytes);
  }
  const bool by_file = position.mechanism == model::Mechanism::kFile;
  status.source_position = by_file ? status.source_position_in_files : source.gtids;
  status.lag_bytes = stream.lag_bytes();
  status.log_retention = source.retention;
  status.log_retention_left = stream.retention_left();
}

// Those that are quarantined, then those that are being loaded, then those that wait, then the
// others; all of them in their order.
std::vector<size_t> TablesToShow(const std::vector<snapshot::LoadFigures>& loads,
                                 const StreamProgress& stream, size_t tables_max) {
  std::vector<size_t> tables(loads.size());
  std::iota(tables.begin(), tables.end(), 0);
  if (tables.size() <= tables_max) return tables;
  const auto rank = [&](size_t table) {
    if (stream.tables[table].quarantine) return -1;
    return loads[table].tables_done != 0 ? 2 : (loads[table].partitions != 0 ? 0 : 1);
  };
  std::ranges::stable_sort(tables, {}, rank);
  tables.resize(tables_max);
  return tables;
}

}  // namespace

PipeStatus Runner::status(size_t tables_max) const {
  MutexLock lock(mutex_);
  PipeStatus status;
  status.id = id_;
  status.spec = spec_;
  status.state = ShownState();
  // Why an ordinary state came about is among the events.
  if (status.state == State::kFailed) status.reason = reason_;
  if (status.state == State::kDegraded) {
    status.reason = attention_.empty() ? reason_ : ReasonOf(attention_);
    status.attention = attention_;
  }
  status.state_since = state_since_;
  status.created_at = created_at_;
  status.updated_at = updated_at_;
  for (const auto& [part, retrying] : retrying_) {
    if (!status.retrying.empty()) status.retrying += "; ";
    status.retrying += fmt::format("{}: {}", part, retrying.error);
    status.retry_attempts += retrying.attempts;
  }
  if (!journal_) return status;

  const StreamProgress stream = journal_->progress();
  ShowPosition(stream, status);
  const bool streaming = IsWorking(status.state) && status.state != State::kProvisioning;
  if (streaming) status.lag = stream.lag;
  status.last_batch_rows = stream.last_batch_rows;
  status.prepared = stream.prepared;
  status.last_batch_duration = stream.last_batch_duration;
  if (status.state == State::kSnapshot) status.load_rows_per_second = watch_->rows_per_second();
  std::vector<snapshot::LoadFigures> loads;
  for (size_t i = 0; i < tables_->size(); ++i) {
    loads.push_back(loader_->figures(i));
    status.load += loads.back();
  }
  for (const size_t i : TablesToShow(loads, stream, tables_max)) {
    status.tables.push_back(StatusOf(i, loads[i], stream));
  }
  status.rows_per_second = rate_.Sample(stream.rows + status.load.rows, options_.clock->Steady());
  return status;
}

size_t Runner::TableStateOf(const snapshot::LoadFigures& load, bool quarantined) const {
  const auto place = [](std::string_view state) {
    return static_cast<size_t>(std::ranges::find(kTableStates, state) - kTableStates.begin());
  };
  if (quarantined) return place("quarantined");
  if (load.tables_done == 0) return place(load.partitions == 0 ? "waiting" : "loading");
  return place(lifecycle_.state == State::kCompleted ? "loaded" : "following");
}

PipeFigures Runner::figures() const {
  MutexLock lock(mutex_);
  PipeFigures figures;
  figures.id = id_;
  figures.name = spec_.name;
  figures.state = ShownState();
  figures.state_since = state_since_;
  for (const auto& [part, retrying] : retrying_) figures.retry_attempts += retrying.attempts;
  for (const auto& attention : attention_) {
    figures.attention[static_cast<size_t>(attention.concern)] = figures.state == State::kDegraded;
  }
  figures.errors = errors_;
  figures.snapshot_traffic = snapshot_traffic_;
  figures.stream_traffic = stream_traffic_;
  figures.set_up = journal_ != nullptr;
  if (!figures.set_up) return figures;
  figures.working = IsWorking(lifecycle_.state);
  figures.stream = journal_->progress();
  for (size_t i = 0; i < tables_->size(); ++i) {
    const snapshot::LoadFigures load = loader_->figures(i);
    figures.load += load;
    ++figures.tables[TableStateOf(load, figures.stream.tables[i].quarantine.has_value())];
  }
  return figures;
}

TableStatus Runner::StatusOf(size_t table, const snapshot::LoadFigures& load,
                             const StreamProgress& stream) const {
  const bool loading = lifecycle_.state == State::kSnapshot;
  const auto& changes = stream.tables[table];
  const catalog::TableRecord& record = tables_->at(table);
  auto quarantine = changes.quarantine;
  if (quarantine) {
    quarantine->reason = WithCommands(std::move(quarantine->reason), spec_.name,
                                      record.definition.name, quarantine->gone);
  }
  return {.source = record.definition.name,
          .target = spec_.database + "." + record.target,
          .state = std::string(kTableStates[TableStateOf(load, changes.quarantine.has_value())]),
          .quarantine = std::move(quarantine),
          .load = load,
          .load_rows_per_second = loading ? watch_->rows_per_second(table) : 0,
          .rows_inserted = changes.counts.inserted,
          .rows_updated = changes.counts.updated,
          .rows_deleted = changes.counts.deleted,
          .changes = changes.changes,
          .ddl = changes.ddl};
}

Result<std::vector<BatchStatus>> Runner::Batches(size_t limit) const {
  std::map<int64_t, model::TableName> names;
  {
    MutexLock lock(mutex_);
    if (!tables_) return std::vector<BatchStatus>();
    for (const auto& record : *tables_) names.emplace(record.id, record.definition.name);
  }
  PENSTOCK_ASSIGN(auto records, options_.catalog->Batches(id_, limit));
  std::vector<BatchStatus> batches;
  for (auto& record : records) {
    BatchStatus& batch = batches.emplace_back();
    for (const auto& table : record.changes) batch.tables.push_back(names[table.table_id]);
    batch.batch = std::move(record);
  }
  return batches;
}

Result<std::vector<PartitionStatus>> Runner::Partitions(const std::string& table,
                                                        size_t limit) const {
  std::map<int64_t, model::TableName> names;
  {
    MutexLock lock(mutex_);
    if (!tables_) return std::vector<PartitionStatus>();
    for (const auto& record : *tables_) {
      if (table.empty() || record.definition.name.ToString() == table) {
        names.emplace(record.id, record.definition.name);
      }
    }
  }
  if (!table.empty() && names.empty()) {
    return Fail(ErrorCode::kNotFound, "the pipe has no table {}", table);
  }
  std::optional<int64_t> table_id;
  if (!table.empty()) table_id = names.begin()->first;
  PENSTOCK_ASSIGN(const auto records, options_.catalog->LatestPartitions(id_, table_id, limit));
  std::vector<PartitionStatus> partitions;
  for (const auto& record : records) {
    partitions.push_back({.source = names[record.table_id], .partition = record});
  }
  return partitions;
}

}  // namespace penstock::pipe
