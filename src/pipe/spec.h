#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "clickhouse/client.h"
#include "clickhouse/ddl.h"
#include "model/table.h"
#include "mysql/wire/connection.h"
#include "pipe/attention.h"
#include "typemap/table_map.h"

namespace penstock::pipe {

enum class ReplicationMode : uint8_t { kCdc, kSnapshot, kCdcOnly };

struct TableMapping {
  model::TableName source;  // names, or of PipeSpec::mappings patterns: see table_patterns.h
  std::string target_table;
  std::vector<std::string> excluded_tables;  // extension, of a pattern: whom it leaves out
  std::optional<size_t> pattern;             // of PipeSpec::tables: the mapping it comes from
  std::vector<std::string> excluded_columns;
  std::vector<typemap::ColumnOverride> overrides;  // columnOverrides, an extension
  bool use_custom_sorting_key = false;
  std::vector<std::string> sorting_keys;
  clickhouse::Engine engine = clickhouse::Engine::kReplacingMergeTree;
  std::string partition_key;
  std::string partition_by;                  // extension: SQL of PARTITION BY
  std::string table_settings;                // extension: SQL of SETTINGS
  bool identical_rows_may_collapse = false;  // extension
  bool tells_source = false;                 // of PipeSpec::tables: see shards.h

  bool operator==(const TableMapping&) const = default;
};

// A table, by its place in PipeSpec::tables, that has got another mapping.
struct RemappedTable {
  size_t table = 0;
  bool reshaped = false;  // at the destination; else only its loads differ
};

// A place in the source's log, as its server spells it: GTIDs, or a file and an offset in it.
struct GivenPosition {
  std::string gtid;  // "": by file
  std::string file;
  uint64_t offset = 4;  // the file's first event

  bool operator==(const GivenPosition&) const = default;
};

// Names and defaults are the API's; what is an extension says so.
struct PipeSettings {
  ReplicationMode mode = ReplicationMode::kCdc;
  std::string replication_mechanism;  // "", "GTID" or "FILE_POS"; "": chosen by what the server has
  std::chrono::milliseconds sync_interval{10'000};  // syncIntervalMilliseconds is an extension
  uint64_t pull_batch_size = 100'000;               // rows
  bool allow_nullable_columns = true;
  bool use_compression = false;
  uint32_t initial_load_parallelism = 4;                // partitions at once per table
  std::optional<uint64_t> snapshot_rows_per_partition;  // absent: by the size of the table
  uint32_t snapshot_parallel_tables = 1;
  // Extensions, all four: how far the snapshot may burden the source.
  std::optional<uint32_t> snapshot_rows_per_second;
  std::optional<uint32_t> snapshot_megabytes_per_second;  // 10^6 bytes, of column data
  std::optional<uint32_t> snapshot_max_threads_running;
  std::optional<uint32_t> snapshot_max_replica_lag_seconds;
  bool delete_on_merge = false;
  bool tinyint1_is_bool = false;                // extension
  bool auto_add_tables = false;                 // extension: tables that come and fit a pattern
  std::optional<GivenPosition> start_position;  // extension, of cdc_only: where to begin

  // What a given start decides, else replication_mechanism.
  std::string_view MechanismWanted() const {
    if (!start_position) return replication_mechanism;
    return start_position->gtid.empty() ? "FILE_POS" : "GTID";
  }
};

// What a user asks for: one pipe. Holds passwords: never log it whole.
struct PipeSpec {
  std::string name;
  std::string source_type;  // as given: "mysql", "mariadb", "rdsmysql", ...; "" when absent
  mysql::Endpoint source;
  std::optional<uint32_t> server_id;
  PipeSettings settings;
  std::vector<TableMapping> mappings;              // as given
  std::vector<TableMapping> tables;                // those without a pattern, and where these lead
  std::string database;                            // destination
  std::string cluster;                             // extension, of the destination; "": none
  std::optional<clickhouse::Endpoint> clickhouse;  // extension; absent: the server's own
  // The body as it was given, as JSON text without secrets: so that fields of no meaning here
  // (those of other kinds of pipe) come back in answers.
  std::string given;
};

// What a server accepts and gives. Only `penstock serve --test-limits` has others than these.
struct Limits {
  uint64_t rows_per_partition_min = 1'000;       // of snapshotNumRowsPerPartition
  uint64_t share_bytes_min = 1 << 20;            // of memory, for a batch or a block of rows
  std::chrono::seconds partition_budget{60};     // of time, for reading a partition
  std::chrono::seconds cleanup_interval{3'600};  // of deleted rows (deleteOnMerge)
  AttentionLimits attention = {};
  std::chrono::milliseconds source_watch_interval{5'000};

  // A partition of a row, a batch of a row: so that a test meets every boundary with few rows.
  static Limits ForTests() {
    return {.rows_per_partition_min = 1,
            .share_bytes_min = 1,
            .partition_budget = std::chrono::seconds(1),
            .cleanup_interval = std::chrono::seconds(1),
            .attention = {.retrying = std::chrono::seconds(3),
                          .source_answer = std::chrono::milliseconds(300),
                          .batch = std::chrono::milliseconds(3'000),
                          .batch_age = std::chrono::seconds(5)},
            .source_watch_interval = std::chrono::milliseconds(300)};
  }
};

// Reads the API's POST body; what its patterns stand for is not known here. An unknown key, a
// missing one or a wrong value is kInvalidArgument whose message names the field by its path
// ("source.mysql.port: must be 1 to 65535").
Result<PipeSpec> ParsePipeSpec(const nlohmann::json& body, const Limits& limits = {});

// A list of mappings that stands by itself; null is an empty one. `path` names it in errors.
Result<std::vector<TableMapping>> ParseTableMappings(const nlohmann::json& list,
                                                     const std::string& path);

// The same shape back, without credentials: what the API answers. Only keys that were given, or
// that have a value of their own, appear.
nlohmann::json ToJson(const PipeSpec& spec);

// The settings as they are in effect, each of them: what was given or its default. The interval in
// whole seconds, rounded up, and in milliseconds.
nlohmann::json EffectiveSettings(const PipeSettings& settings);

// With credentials, for the catalog, which seals it. ParsePipeSpec reads it back to an equal spec.
nlohmann::json ToJsonWithSecrets(const PipeSpec& spec);

}  // namespace penstock::pipe
