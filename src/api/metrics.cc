#include "api/metrics.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "obs/metrics_page.h"

namespace penstock::api {
namespace {

using pipe::PipeFigures;

double Number(uint64_t count) { return static_cast<double>(count); }

template <typename Duration>
double Seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// Samples of one pipe: its name and id before the other labels.
class PipePage {
 public:
  PipePage(MetricsPage& page, const PipeFigures& figures) : page_(page), figures_(figures) {}

  template <typename Value>
  void Add(Metric metric, const Value& value, std::vector<std::string> more = {}) {
    LabelValues labels = {figures_.name, figures_.id};
    labels.insert(labels.end(), more.begin(), more.end());
    page_.Add(metric, labels, value);
  }
  void AddSeconds(Metric metric, const auto& duration) {
    if (duration) Add(metric, Seconds(*duration));
  }

 private:
  MetricsPage& page_;
  const PipeFigures& figures_;
};

// "bin.000012" -> 12
std::optional<uint64_t> FileNumber(std::string_view file) {
  const std::string_view digits = file.substr(file.rfind('.') + 1);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

void AddPlace(PipePage& page, std::pair<Metric, Metric> metrics, const std::string& file,
              uint64_t offset) {
  const auto number = FileNumber(file);
  if (!number) return;
  page.Add(metrics.first, Number(*number));
  page.Add(metrics.second, Number(offset));
}

void AddPosition(PipePage& page, const PipeFigures& figures) {
  const pipe::StreamProgress& stream = figures.stream;
  AddPlace(page, {Metric::kLogFile, Metric::kLogOffset}, stream.position.file,
           stream.position.offset);
  if (!figures.working) return;
  page.AddSeconds(Metric::kLag, stream.lag);
  page.AddSeconds(Metric::kRetentionLeft, stream.retention_left());
  if (const auto bytes = stream.lag_bytes()) page.Add(Metric::kLagBytes, Number(*bytes));
  if (!stream.source) return;
  page.AddSeconds(Metric::kRetention, stream.source->retention);
  if (stream.source->files.empty()) return;
  AddPlace(page, {Metric::kSourceLogFile, Metric::kSourceLogOffset},
           stream.source->files.back().name, stream.source->files.back().bytes);
}

void AddTraffic(PipePage& page, const Traffic& traffic, const std::string& phase) {
  page.Add(Metric::kRowsFetched, Number(traffic.rows_fetched), {phase});
  page.Add(Metric::kBytesFetched, Number(traffic.bytes_fetched), {phase});
  page.Add(Metric::kRowsSent, Number(traffic.rows_sent), {phase});
  page.Add(Metric::kBytesSent, Number(traffic.bytes_sent), {phase});
}

void AddErrors(PipePage& page, const PipeFigures& figures) {
  page.Add(Metric::kRetrying, Number(figures.retry_attempts));
  std::map<std::string, uint64_t> retries;
  for (const auto& [key, count] : figures.errors) {
    const auto& [part, kind] = key;
    page.Add(Metric::kErrors, Number(count), {part, std::string(ErrorCodeName(kind))});
    if (part != pipe::kWholePipe) retries[part] += count;
  }
  for (const auto& [part, count] : retries) page.Add(Metric::kRetries, Number(count), {part});
}

void AddSnapshot(PipePage& page, const snapshot::LoadFigures& load) {
  page.Add(Metric::kSnapshotShare, load.share());
  page.Add(Metric::kSnapshotRows, Number(load.rows));
  page.Add(Metric::kSnapshotRowsEstimated, Number(load.rows_estimated));
  page.Add(Metric::kSnapshotBytes, Number(load.bytes));
  page.Add(Metric::kSnapshotBytesEstimated, Number(load.bytes_estimated));
  const uint64_t begun = load.partitions_done + load.partitions_in_flight;
  const uint64_t waiting = load.partitions - std::min(load.partitions, begun);
  page.Add(Metric::kSnapshotPartitions, Number(waiting), {"waiting"});
  page.Add(Metric::kSnapshotPartitions, Number(load.partitions_in_flight), {"loading"});
  page.Add(Metric::kSnapshotPartitions, Number(load.partitions_done), {"loaded"});
}

void AddTables(PipePage& page, const PipeFigures& figures) {
  for (size_t i = 0; i < pipe::kTableStates.size(); ++i) {
    page.Add(Metric::kTables, Number(figures.tables[i]), {std::string(pipe::kTableStates[i])});
  }
  for (const auto concern : pipe::kAllConcerns) {
    page.Add(Metric::kAttention, figures.attention[static_cast<size_t>(concern)] ? 1 : 0,
             {std::string(pipe::ConcernName(concern))});
  }
  stream::RowCounts changes;
  model::ChangeCounts by_rule;
  for (const auto& table : figures.stream.tables) {
    changes.inserted += table.counts.inserted;
    changes.updated += table.counts.updated;
    changes.deleted += table.counts.deleted;
    for (const auto& column : table.changes) by_rule.Add(column.counts);
  }
  page.Add(Metric::kChanges, Number(changes.inserted), {"insert"});
  page.Add(Metric::kChanges, Number(changes.updated), {"update"});
  page.Add(Metric::kChanges, Number(changes.deleted), {"delete"});
  for (size_t i = 0; i < static_cast<size_t>(model::Change::kCount); ++i) {
    const auto rule = static_cast<model::Change>(i);
    page.Add(Metric::kValuesChanged, Number(by_rule[rule]), {std::string(ChangeName(rule))});
  }
}

void AddBatches(PipePage& page, const pipe::StreamProgress::Batches& batches) {
  page.Add(Metric::kBatchDuration, batches.inserting);
  page.Add(Metric::kBatchStages, Seconds(batches.reading), {"reading"});
  page.Add(Metric::kBatchStages, Seconds(batches.decoding), {"decoding"});
  page.Add(Metric::kBatchStages, Seconds(batches.inserting.total), {"inserting"});
}

void AddPipe(MetricsPage& metrics, const PipeFigures& figures) {
  PipePage page(metrics, figures);
  for (const pipe::State state : pipe::kAllStates) {
    page.Add(Metric::kState, state == figures.state ? 1.0 : 0.0,
             {std::string(pipe::StateName(state))});
  }
  page.Add(Metric::kStateSince, Seconds(figures.state_since));
  AddTraffic(page, *figures.snapshot_traffic, "snapshot");
  AddTraffic(page, *figures.stream_traffic, "stream");
  AddErrors(page, figures);
  if (!figures.set_up) return;
  AddPosition(page, figures);
  AddTables(page, figures);
  AddSnapshot(page, figures.load);
  AddBatches(page, figures.stream.batches);
  page.Add(Metric::kPrepared, Number(figures.stream.prepared.size()));
}

}  // namespace

HttpResponse MetricsResponse(const pipe::Figures& figures) {
  MetricsPage page;
  page.Add(Metric::kBuildInfo, {PENSTOCK_VERSION}, 1);
  std::map<pipe::State, uint64_t> states;
  for (const PipeFigures& pipe : figures.pipes) ++states[pipe.state];
  for (const pipe::State state : pipe::kAllStates) {
    page.Add(Metric::kPipes, {std::string(pipe::StateName(state))}, Number(states[state]));
  }
  for (const auto& memory : figures.memory) {
    page.Add(Metric::kMemoryBudget, {std::string(memory.share)}, Number(memory.bytes));
    page.Add(Metric::kMemoryUsed, {std::string(memory.share)}, Number(memory.used));
  }
  page.AddProcess();
  for (const PipeFigures& pipe : figures.pipes) AddPipe(page, pipe);
  return {.status = 200,
          .body = std::move(page).Text(),
          .headers = {},
          .content_type = MetricsPage::kContentType};
}

}  // namespace penstock::api
