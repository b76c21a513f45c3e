#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace penstock {

enum class Metric : uint8_t {
  kBuildInfo,
  kPipes,
  kMemoryBudget,
  kMemoryUsed,
  kProcessCpu,
  kProcessMemory,
  kProcessFiles,
  kProcessFilesMax,
  kProcessThreads,
  kProcessStart,
  kState,
  kStateSince,
  kLag,
  kLagBytes,
  kLogFile,
  kLogOffset,
  kSourceLogFile,
  kSourceLogOffset,
  kRetention,
  kRetentionLeft,
  kRowsFetched,
  kBytesFetched,
  kRowsSent,
  kBytesSent,
  kChanges,
  kBatchDuration,
  kBatchStages,
  kTables,
  kAttention,
  kSnapshotShare,
  kSnapshotRows,
  kSnapshotRowsEstimated,
  kSnapshotBytes,
  kSnapshotBytesEstimated,
  kSnapshotPartitions,
  kRetrying,
  kRetries,
  kErrors,
  kValuesChanged,
  kPrepared,
};

enum class MetricType : uint8_t { kCounter, kGauge, kHistogram };

// When there is a sample.
enum class Presence : uint8_t {
  kAlways,
  kSetUp,      // of a pipe that has been set up
  kFollowing,  // of a pipe that follows the log, as far as the source tells
  kEvent,      // once there was something to count
};

struct MetricSpec {
  Metric metric;
  std::string_view name;  // ends in its unit
  MetricType type;
  Presence presence;
  std::string_view labels;  // "pipe,id"; the values of each are few
  std::string_view help;
};

// Every metric there is, in the order of the enum. A name stays: dashboards and alerts are made of
// them.
inline constexpr auto kMetrics = std::to_array<MetricSpec>({
    {Metric::kBuildInfo, "penstock_build_info", MetricType::kGauge, Presence::kAlways, "version",
     "1, by the version that runs."},
    {Metric::kPipes, "penstock_pipes", MetricType::kGauge, Presence::kAlways, "state",
     "Pipes in each state."},
    {Metric::kMemoryBudget, "penstock_memory_budget_bytes", MetricType::kGauge, Presence::kAlways,
     "share", "Memory that the pipes share for rows: those of streams, and those of snapshots."},
    {Metric::kMemoryUsed, "penstock_memory_budget_used_bytes", MetricType::kGauge,
     Presence::kAlways, "share", "What of it is taken."},
    {Metric::kProcessCpu, "process_cpu_seconds_total", MetricType::kCounter, Presence::kAlways, "",
     "User and system time of the process (an embedded ClickHouse is a process of its own)."},
    {Metric::kProcessMemory, "process_resident_memory_bytes", MetricType::kGauge, Presence::kAlways,
     "", "Resident memory of the process."},
    {Metric::kProcessFiles, "process_open_fds", MetricType::kGauge, Presence::kAlways, "",
     "Open files and sockets."},
    {Metric::kProcessFilesMax, "process_max_fds", MetricType::kGauge, Presence::kAlways, "",
     "How many the system allows."},
    {Metric::kProcessThreads, "process_threads", MetricType::kGauge, Presence::kAlways, "",
     "Threads of the process."},
    {Metric::kProcessStart, "process_start_time_seconds", MetricType::kGauge, Presence::kAlways, "",
     "When the process started, in seconds since 1970."},

    {Metric::kState, "penstock_pipe_state", MetricType::kGauge, Presence::kAlways, "pipe,id,state",
     "1 for the state that the pipe is in, 0 for every other."},
    {Metric::kStateSince, "penstock_pipe_state_since_timestamp_seconds", MetricType::kGauge,
     Presence::kAlways, "pipe,id", "Since when it is in that state, in seconds since 1970."},
    {Metric::kLag, "penstock_pipe_lag_seconds", MetricType::kGauge, Presence::kFollowing, "pipe,id",
     "From the commit at the source to the acknowledgement by ClickHouse."},
    {Metric::kLagBytes, "penstock_pipe_lag_bytes", MetricType::kGauge, Presence::kFollowing,
     "pipe,id", "What of the source's log is not acknowledged yet."},
    {Metric::kLogFile, "penstock_pipe_log_file_number", MetricType::kGauge, Presence::kSetUp,
     "pipe,id", "The position, where the pipe has one: number of the log file that it is in."},
    {Metric::kLogOffset, "penstock_pipe_log_offset_bytes", MetricType::kGauge, Presence::kSetUp,
     "pipe,id", "The position: offset in that file."},
    {Metric::kSourceLogFile, "penstock_pipe_source_log_file_number", MetricType::kGauge,
     Presence::kFollowing, "pipe,id", "Number of the log file that the source writes."},
    {Metric::kSourceLogOffset, "penstock_pipe_source_log_offset_bytes", MetricType::kGauge,
     Presence::kFollowing, "pipe,id", "Its size so far."},
    {Metric::kRetention, "penstock_pipe_log_retention_seconds", MetricType::kGauge,
     Presence::kFollowing, "pipe,id", "For how long the source keeps its log."},
    {Metric::kRetentionLeft, "penstock_pipe_log_retention_left_seconds", MetricType::kGauge,
     Presence::kFollowing, "pipe,id",
     "For how much longer it keeps what the pipe reads next: that less the lag."},
    {Metric::kRowsFetched, "penstock_pipe_rows_fetched_total", MetricType::kCounter,
     Presence::kAlways, "pipe,id,phase", "Rows read from the source, by snapshot and stream."},
    {Metric::kBytesFetched, "penstock_pipe_bytes_fetched_total", MetricType::kCounter,
     Presence::kAlways, "pipe,id,phase",
     "Bytes read from the source: of the rows of a snapshot; of the whole log by a stream."},
    {Metric::kRowsSent, "penstock_pipe_rows_sent_total", MetricType::kCounter, Presence::kAlways,
     "pipe,id,phase", "Rows that ClickHouse acknowledged."},
    {Metric::kBytesSent, "penstock_pipe_bytes_sent_total", MetricType::kCounter, Presence::kAlways,
     "pipe,id,phase", "Bytes of their column data, before compression."},
    {Metric::kChanges, "penstock_pipe_changes_total", MetricType::kCounter, Presence::kSetUp,
     "pipe,id,operation", "Changes that the stream brought: insert, update, delete."},
    {Metric::kBatchDuration, "penstock_pipe_batch_duration_seconds", MetricType::kHistogram,
     Presence::kSetUp, "pipe,id", "Batches of the stream: how long each took to be inserted."},
    {Metric::kBatchStages, "penstock_pipe_batch_stage_seconds_total", MetricType::kCounter,
     Presence::kSetUp, "pipe,id,stage",
     "What batches took: reading (waiting for the source), decoding, inserting."},
    {Metric::kTables, "penstock_pipe_tables", MetricType::kGauge, Presence::kSetUp, "pipe,id,state",
     "Tables: waiting, loading, following, loaded, quarantined."},
    {Metric::kAttention, "penstock_pipe_attention", MetricType::kGauge, Presence::kSetUp,
     "pipe,id,concern",
     "Whether the pipe is Degraded for it: quarantine, retrying, log_retention, slow_source, "
     "slow_destination."},
    {Metric::kSnapshotShare, "penstock_pipe_snapshot_progress_ratio", MetricType::kGauge,
     Presence::kSetUp, "pipe,id", "How much of the snapshot is done, from 0 to 1."},
    {Metric::kSnapshotRows, "penstock_pipe_snapshot_rows", MetricType::kGauge, Presence::kSetUp,
     "pipe,id", "Rows of it that are loaded."},
    {Metric::kSnapshotRowsEstimated, "penstock_pipe_snapshot_estimated_rows", MetricType::kGauge,
     Presence::kSetUp, "pipe,id", "Rows that it has, as the source guesses."},
    {Metric::kSnapshotBytes, "penstock_pipe_snapshot_bytes", MetricType::kGauge, Presence::kSetUp,
     "pipe,id", "Bytes of it that are loaded."},
    {Metric::kSnapshotBytesEstimated, "penstock_pipe_snapshot_estimated_bytes", MetricType::kGauge,
     Presence::kSetUp, "pipe,id", "Bytes that it has, as the source guesses."},
    {Metric::kSnapshotPartitions, "penstock_pipe_snapshot_partitions", MetricType::kGauge,
     Presence::kSetUp, "pipe,id,state", "Partitions planned so far: waiting, loading, loaded."},
    {Metric::kRetrying, "penstock_pipe_retrying", MetricType::kGauge, Presence::kAlways, "pipe,id",
     "Attempts that failed in a row, of what is being retried now; 0 when all is well."},
    {Metric::kRetries, "penstock_pipe_retries_total", MetricType::kCounter, Presence::kEvent,
     "pipe,id,part", "Errors that were retried, by the part of the pipe."},
    {Metric::kErrors, "penstock_pipe_errors_total", MetricType::kCounter, Presence::kEvent,
     "pipe,id,part,kind", "Errors, retried or not, by the part of the pipe and by their kind."},
    {Metric::kValuesChanged, "penstock_pipe_values_changed_total", MetricType::kCounter,
     Presence::kSetUp, "pipe,id,rule",
     "Values that ClickHouse cannot hold, by the rule they followed: clamped, nulled, replaced. "
     "Since the tables were set up."},
    {Metric::kPrepared, "penstock_pipe_prepared_transactions", MetricType::kGauge, Presence::kSetUp,
     "pipe,id", "XA transactions that are prepared, and held."},
});

// kMetrics is in the order of the enum.
consteval bool MetricsAreInOrder() {
  for (size_t i = 0; i < kMetrics.size(); ++i) {
    if (static_cast<size_t>(kMetrics[i].metric) != i) return false;
  }
  return true;
}
static_assert(MetricsAreInOrder());

constexpr const MetricSpec& SpecOf(Metric metric) { return kMetrics[static_cast<size_t>(metric)]; }

}  // namespace penstock
