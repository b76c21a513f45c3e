#include "pipe/spec.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "clickhouse/url.h"
#include "pipe/hosted_settings.h"
#include "pipe/json_fields.h"
#include "pipe/table_patterns.h"

namespace penstock::pipe {
namespace {

using nlohmann::json;

constexpr uint64_t kSyncIntervalMillisMax = 86'400'000;
constexpr TextRules kCertificate = {.bytes_max = 1 << 20};

constexpr std::array<std::pair<std::string_view, ReplicationMode>, 3> kModes = {{
    {"cdc", ReplicationMode::kCdc},
    {"snapshot", ReplicationMode::kSnapshot},
    {"cdc_only", ReplicationMode::kCdcOnly},
}};
constexpr std::array<std::pair<std::string_view, clickhouse::Engine>, 3> kEngines = {{
    {"ReplacingMergeTree", clickhouse::Engine::kReplacingMergeTree},
    {"MergeTree", clickhouse::Engine::kMergeTree},
    {"Null", clickhouse::Engine::kNull},
}};
const std::array<std::pair<std::string_view, std::string>, 2> kMechanisms = {{
    {"GTID", "GTID"},
    {"FILE_POS", "FILE_POS"},
}};
const std::array<std::pair<std::string_view, std::string>, 5> kSourceTypes = {{
    {"mysql", "mysql"},
    {"rdsmysql", "rdsmysql"},
    {"auroramysql", "auroramysql"},
    {"mariadb", "mariadb"},
    {"rdsmariadb", "rdsmariadb"},
}};

// --- Each object of the API, described once (json_fields.h) ---

template <typename Fields>
void DescribeSettings(Fields& fields, const Limits& limits) {
  fields.Choice("replicationMode", &PipeSettings::mode, Choices<ReplicationMode>(kModes),
                Presence::kRequired);
  fields.Choice("replicationMechanism", &PipeSettings::replication_mechanism,
                Choices<std::string>(kMechanisms));
  fields.Number("pullBatchSize", &PipeSettings::pull_batch_size, {.min = 1, .max = 1'000'000'000});
  fields.Bool("useCompression", &PipeSettings::use_compression);
  fields.Bool("allowNullableColumns", &PipeSettings::allow_nullable_columns);
  fields.Number("initialLoadParallelism", &PipeSettings::initial_load_parallelism,
                {.min = 1, .max = 256});
  fields.Number("snapshotNumRowsPerPartition", &PipeSettings::snapshot_rows_per_partition,
                {.min = limits.rows_per_partition_min, .max = 1'000'000'000});
  fields.Number("snapshotNumberOfParallelTables", &PipeSettings::snapshot_parallel_tables,
                {.min = 1, .max = 256});
  fields.Number("snapshotRowsPerSecond", &PipeSettings::snapshot_rows_per_second, {.min = 1});
  fields.Number("snapshotMegabytesPerSecond", &PipeSettings::snapshot_megabytes_per_second,
                {.min = 1, .max = 1'000'000});
  fields.Number("snapshotMaxThreadsRunning", &PipeSettings::snapshot_max_threads_running,
                {.min = 1});
  fields.Number("snapshotMaxReplicaLagSeconds", &PipeSettings::snapshot_max_replica_lag_seconds,
                {.min = 1});
  fields.Bool("deleteOnMerge", &PipeSettings::delete_on_merge);
  fields.Bool("tinyint1isBool", &PipeSettings::tinyint1_is_bool);
  fields.Bool("autoAddTables", &PipeSettings::auto_add_tables);
}

template <typename Fields>
void DescribeStartPosition(Fields& fields) {
  fields.Text("gtid", &GivenPosition::gtid, {.bytes_max = 1 << 20});
  fields.Text("file", &GivenPosition::file);
  fields.Number("offset", &GivenPosition::offset, {.min = 4, .max = INT64_MAX});
}

template <typename Fields>
void DescribeTableName(Fields& fields) {
  fields.Text("sourceSchemaName", &model::TableName::schema, {.presence = Presence::kRequired});
  fields.Text("sourceTable", &model::TableName::table, {.presence = Presence::kRequired});
}

template <typename Fields>
void DescribeOverride(Fields& fields) {
  fields.Text("sourceColumn", &typemap::ColumnOverride::column, {.presence = Presence::kRequired});
  fields.Text("targetType", &typemap::ColumnOverride::target_type);
  fields.Text("codec", &typemap::ColumnOverride::codec);
}

template <typename Fields>
void DescribeMapping(Fields& fields) {
  fields.Text("targetTable", &TableMapping::target_table, {.presence = Presence::kRequired});
  fields.Texts("excludedTables", &TableMapping::excluded_tables);
  fields.Texts("excludedColumns", &TableMapping::excluded_columns);
  fields.Bool("useCustomSortingKey", &TableMapping::use_custom_sorting_key);
  fields.Texts("sortingKeys", &TableMapping::sorting_keys);
  fields.Choice("tableEngine", &TableMapping::engine, Choices<clickhouse::Engine>(kEngines));
  fields.Text("partitionKey", &TableMapping::partition_key);
  fields.Text("partitionBy", &TableMapping::partition_by, {.bytes_max = 4096});
  fields.Text("tableSettings", &TableMapping::table_settings, {.bytes_max = 4096});
  fields.Bool("identicalRowsMayCollapse", &TableMapping::identical_rows_may_collapse);
}

template <typename Fields>
void DescribeSource(Fields& fields) {
  fields.Text("host", &mysql::Endpoint::host, {.presence = Presence::kRequired});
  fields.Text("tlsHost", &mysql::Endpoint::tls_host);
  fields.Text("caCertificate", &mysql::Endpoint::ca_certificate, kCertificate);
  fields.Bool("disableTls", &mysql::Endpoint::disable_tls);
  fields.Bool("skipCertVerification", &mysql::Endpoint::skip_cert_verification);
}

template <typename Fields>
void DescribeClickHouse(Fields& fields) {
  fields.Text("url", &clickhouse::Endpoint::url, {.presence = Presence::kRequired});
  fields.Text("user", &clickhouse::Endpoint::user);
  fields.Text("caCertificate", &clickhouse::Endpoint::ca_certificate, kCertificate);
  fields.Bool("skipCertVerification", &clickhouse::Endpoint::skip_cert_verification);
  fields.Choice("compression", &clickhouse::Endpoint::compression,
                Choices<std::optional<clickhouse::Compression>>(clickhouse::kCompressionNames));
}

// --- Reading ---

void ReadSyncInterval(ObjectReader& object, std::chrono::milliseconds& interval) {
  const json* given = object.Find("syncIntervalSeconds", Presence::kOptional);
  if (given != nullptr && given->is_number_float()) {
    object.Fail("syncIntervalSeconds",
                "must be a whole number; syncIntervalMilliseconds takes fractions of a second");
  }
  const auto seconds =
      object.ReadNumber("syncIntervalSeconds", {.min = 1, .max = kSyncIntervalMillisMax / 1000});
  const auto millis =
      object.ReadNumber("syncIntervalMilliseconds", {.min = 1, .max = kSyncIntervalMillisMax});
  if (seconds && millis) object.Fail("syncIntervalMilliseconds", "give it or syncIntervalSeconds");
  if (seconds) interval = std::chrono::seconds(*seconds);
  if (millis) interval = std::chrono::milliseconds(*millis);
}

void ReadStartPosition(ObjectReader& settings_object, std::optional<Error>& error,
                       PipeSettings& settings) {
  constexpr char kKey[] = "startPosition";
  const json* given = settings_object.Find(kKey, Presence::kOptional);
  if (given == nullptr) return;
  ObjectReader object(*given, settings_object.PathOf(kKey), error);
  GivenPosition& position = settings.start_position.emplace();
  FieldReader<GivenPosition> fields(object, position);
  DescribeStartPosition(fields);
  object.RefuseOthers();
  if (position.gtid.empty() == position.file.empty()) {
    object.Fail("gtid", "give it, or file and offset");
  }
  if (settings.mode != ReplicationMode::kCdcOnly) {
    settings_object.Fail(kKey, "is for replicationMode cdc_only");
  }
  if (!settings.replication_mechanism.empty() &&
      settings.replication_mechanism != settings.MechanismWanted()) {
    settings_object.Fail(kKey, "does not fit replicationMechanism");
  }
}

void ReadSettings(const json& given, std::string path, std::optional<Error>& error,
                  const Limits& limits, PipeSettings& settings) {
  ObjectReader object(given, std::move(path), error);
  FieldReader<PipeSettings> fields(object, settings);
  DescribeSettings(fields, limits);
  ReadSyncInterval(object, settings.sync_interval);
  ReadStartPosition(object, error, settings);
  object.RefuseOthers();
}

void ReadOverrides(const json& given, const std::string& path, std::optional<Error>& error,
                   std::vector<typemap::ColumnOverride>& overrides) {
  size_t index = 0;
  for (const json& element : given) {
    ObjectReader object(element, fmt::format("{}[{}]", path, index++), error);
    FieldReader<typemap::ColumnOverride> fields(object, overrides.emplace_back());
    DescribeOverride(fields);
    object.RefuseOthers();
    if (overrides.back().target_type.empty() && overrides.back().codec.empty()) {
      object.Fail("targetType", "give it, or codec");
    }
  }
}

void ReadMappings(const json& given, const std::string& path, std::optional<Error>& error,
                  std::vector<TableMapping>& mappings) {
  size_t index = 0;
  for (const json& element : given) {
    ObjectReader object(element, fmt::format("{}[{}]", path, index++), error);
    TableMapping& mapping = mappings.emplace_back();
    FieldReader<model::TableName> name_fields(object, mapping.source);
    DescribeTableName(name_fields);
    FieldReader<TableMapping> fields(object, mapping);
    DescribeMapping(fields);
    if (const json* found = object.Find("columnOverrides", Presence::kOptional)) {
      if (!found->is_array()) object.Fail("columnOverrides", "must be a list");
      ReadOverrides(*found, object.PathOf("columnOverrides"), error, mapping.overrides);
    }
    if (!mapping.excluded_tables.empty() && !IsPattern(mapping.source)) {
      object.Fail("excludedTables", "is for patterns, with * or ?");
    }
    object.RefuseOthers();
    if (error) return;
  }
}

void ReadCredentials(const json& given, std::string path, std::optional<Error>& error,
                     mysql::Endpoint& endpoint) {
  ObjectReader object(given, std::move(path), error);
  object.ReadText("username", {.presence = Presence::kRequired}, endpoint.user);
  object.ReadText("password", {}, endpoint.password);
  object.RefuseOthers();
}

// Only user name and password, whatever other ways the API knows.
void RefuseOtherAuthentication(ObjectReader& object) {
  std::string text;
  object.ReadText("authentication", {}, text);
  if (text == "IAM_ROLE")
    object.Fail("authentication", "IAM_ROLE is not supported; use basic, with a user and password");
  if (!text.empty() && text != "basic") object.Fail("authentication", "must be basic");
  text.clear();
  object.ReadText("iamRole", {}, text);
  if (!text.empty()) object.Fail("iamRole", "IAM authentication is not supported; use credentials");
}

// Under whatever name other products have them.
void RefuseTunnels(const json& given, ObjectReader& object) {
  if (!given.is_object()) return;
  for (const auto& [key, value] : given.items()) {
    if (!key.starts_with("ssh") || object.Find(key.c_str(), Presence::kOptional) == nullptr)
      continue;
    object.Fail(key.c_str(),
                "SSH tunnels are not supported; give the host and port of one of your own, as "
                "`ssh -N -L 3307:DATABASE:3306 BASTION` opens it");
  }
}

void ReadMysqlSource(const json& given, const std::string& path, std::optional<Error>& error,
                     const Limits& limits, PipeSpec& spec) {
  ObjectReader object(given, path, error);
  FieldReader<mysql::Endpoint> endpoint_fields(object, spec.source);
  DescribeSource(endpoint_fields);
  // A unix socket has no port.
  const Presence port =
      spec.source.host.starts_with('/') ? Presence::kOptional : Presence::kRequired;
  endpoint_fields.Number("port", &mysql::Endpoint::port,
                         {.presence = port, .min = 1, .max = UINT16_MAX});
  FieldReader<PipeSpec> fields(object, spec);
  fields.Choice("type", &PipeSpec::source_type, Choices<std::string>(kSourceTypes));
  fields.Number("serverId", &PipeSpec::server_id, {.min = 1});
  RefuseOtherAuthentication(object);
  RefuseTunnels(given, object);
  if (const json* found = object.Find("credentials", Presence::kRequired)) {
    ReadCredentials(*found, object.PathOf("credentials"), error, spec.source);
  }
  if (const json* found = object.Find("settings", Presence::kRequired)) {
    ReadSettings(*found, object.PathOf("settings"), error, limits, spec.settings);
    spec.source.use_compression = spec.settings.use_compression;
  }
  if (const json* found = object.Find("tableMappings", Presence::kRequired)) {
    if (!found->is_array() || found->empty()) {
      object.Fail("tableMappings", "must be a list of at least one mapping");
    } else {
      ReadMappings(*found, object.PathOf("tableMappings"), error, spec.mappings);
      for (const TableMapping& mapping : spec.mappings) {
        if (!IsPattern(mapping.source)) spec.tables.push_back(mapping);
      }
    }
  }
  object.RefuseOthers();
}

void ReadClickHouse(const json& given, std::string path, std::optional<Error>& error,
                    PipeSpec& spec) {
  ObjectReader object(given, std::move(path), error);
  clickhouse::Endpoint& endpoint = spec.clickhouse.emplace();
  FieldReader<clickhouse::Endpoint> fields(object, endpoint);
  DescribeClickHouse(fields);
  object.ReadText("password", {}, endpoint.password);
  object.RefuseOthers();
  const std::string_view wrong = clickhouse::WhyNoUrl(endpoint.url);
  if (!wrong.empty()) object.Fail("url", wrong);
}

void ReadDestination(const json& given, const std::string& path, std::optional<Error>& error,
                     PipeSpec& spec) {
  ObjectReader object(given, path, error);
  object.ReadText("database", {.presence = Presence::kRequired}, spec.database);
  object.ReadText("cluster", {}, spec.cluster);
  if (const json* found = object.Find("clickhouse", Presence::kOptional)) {
    ReadClickHouse(*found, object.PathOf("clickhouse"), error, spec);
  }
  // Of other kinds of pipe, or of no meaning outside the hosted service.
  object.Accept("table", json::value_t::string);
  object.Accept("managedTable", json::value_t::boolean);
  if (const json* found = object.Find("tableDefinition", Presence::kOptional)) {
    CheckTableDefinition(*found, object.PathOf("tableDefinition"), error);
  }
  object.Accept("columns", json::value_t::array);
  if (const json* found = object.Find("columns", Presence::kOptional)) {
    CheckDestinationColumns(*found, object.PathOf("columns"), error);
  }
  std::vector<std::string> roles;
  object.ReadTexts("roles", roles);
  object.RefuseOthers();
}

void ReadSource(const json& given, const std::string& path, std::optional<Error>& error,
                const Limits& limits, PipeSpec& spec) {
  ObjectReader object(given, path, error);
  if (const json* found = object.Find("mysql", Presence::kRequired)) {
    ReadMysqlSource(*found, object.PathOf("mysql"), error, limits, spec);
  }
  object.Accept("validateSamples", json::value_t::boolean);
  object.RefuseOthers();
}

// A name is printed in tables, logs and queries of metrics.
void RefuseControlCharacters(ObjectReader& object, const std::string& name) {
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return object.Fail("name", "must not hold control characters");
    }
  }
}

void ReadBody(const json& body, std::optional<Error>& error, const Limits& limits, PipeSpec& spec) {
  ObjectReader object(body, "", error);
  object.ReadText("name", {.presence = Presence::kRequired, .bytes_max = 255}, spec.name);
  RefuseControlCharacters(object, spec.name);
  if (const json* found = object.Find("source", Presence::kRequired)) {
    ReadSource(*found, "source", error, limits, spec);
  }
  if (const json* found = object.Find("destination", Presence::kRequired)) {
    ReadDestination(*found, "destination", error, spec);
  }
  object.Accept("fieldMappings", json::value_t::array);
  if (const json* found = object.Find("fieldMappings", Presence::kOptional)) {
    CheckFieldMappings(*found, "fieldMappings", error);
  }
  if (const json* found = object.Find("scaling", Presence::kOptional)) {
    CheckHostedScaling(*found, "scaling", error);
  }
  if (const json* found = object.Find("settings", Presence::kOptional)) {
    CheckHostedSettings(*found, "settings", error);
  }
  object.RefuseOthers();
}

// null counts as absent, and would not fit where it came back.
void RemoveNulls(json& value) {
  if (value.is_object()) {
    for (auto field = value.begin(); field != value.end();) {
      field = field->is_null() ? value.erase(field) : std::next(field);
    }
  }
  for (json& element : value) {
    if (element.is_structured()) RemoveNulls(element);
  }
}

std::string WithoutSecrets(json body) {
  RemoveNulls(body);
  body["source"]["mysql"].erase("credentials");
  if (body["destination"].contains("clickhouse") && body["destination"]["clickhouse"].is_object()) {
    body["destination"]["clickhouse"].erase("password");
  }
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

// --- Writing ---

void WriteSyncInterval(std::chrono::milliseconds interval, json& settings) {
  const bool is_default = interval == PipeSettings().sync_interval;
  const bool in_millis = settings.contains("syncIntervalMilliseconds");
  const bool in_seconds = settings.contains("syncIntervalSeconds");
  if (is_default && !in_millis && !in_seconds) return;
  settings.erase("syncIntervalMilliseconds");
  settings.erase("syncIntervalSeconds");
  if (in_millis || interval.count() % 1000 != 0) {
    settings["syncIntervalMilliseconds"] = interval.count();
  } else {
    settings["syncIntervalSeconds"] = interval.count() / 1000;
  }
}

json OverridesToJson(const TableMapping& mapping) {
  json list = json::array();
  for (const typemap::ColumnOverride& chosen : mapping.overrides) {
    FieldWriter<typemap::ColumnOverride> fields(list.emplace_back(json::object()), chosen);
    DescribeOverride(fields);
  }
  return list;
}

// `given` keeps what was given beside the described fields only where the mapping is the same.
json MappingToJson(const TableMapping& mapping, const json& given) {
  json object = given.is_object() ? given : json::object();
  FieldWriter<model::TableName> name_fields(object, mapping.source);
  DescribeTableName(name_fields);
  FieldWriter<TableMapping> fields(object, mapping);
  DescribeMapping(fields);
  if (!mapping.overrides.empty()) object["columnOverrides"] = OverridesToJson(mapping);
  return object;
}

void WriteMysqlSource(const PipeSpec& spec, json& object) {
  FieldWriter<mysql::Endpoint> endpoint_fields(object, spec.source);
  DescribeSource(endpoint_fields);
  endpoint_fields.Number("port", &mysql::Endpoint::port, {.presence = Presence::kRequired});
  FieldWriter<PipeSpec> fields(object, spec);
  fields.Choice("type", &PipeSpec::source_type, Choices<std::string>(kSourceTypes));
  fields.Number("serverId", &PipeSpec::server_id, {});
  json& settings = object["settings"];
  FieldWriter<PipeSettings> settings_fields(settings, spec.settings);
  DescribeSettings(settings_fields, Limits());
  WriteSyncInterval(spec.settings.sync_interval, settings);
  if (spec.settings.start_position) {
    FieldWriter<GivenPosition> start(settings["startPosition"], *spec.settings.start_position);
    DescribeStartPosition(start);
  }
  const json given = std::exchange(object["tableMappings"], json::array());
  for (size_t i = 0; i < spec.mappings.size(); ++i) {
    object["tableMappings"].push_back(
        MappingToJson(spec.mappings[i], i < given.size() ? given[i] : json()));
  }
}

}  // namespace

Result<PipeSpec> ParsePipeSpec(const json& body, const Limits& limits) {
  PipeSpec spec;
  std::optional<Error> error;
  ReadBody(body, error, limits, spec);
  if (error) return Fail(*std::move(error));
  spec.given = WithoutSecrets(body);
  return spec;
}

Result<std::vector<TableMapping>> ParseTableMappings(const json& list, const std::string& path) {
  std::vector<TableMapping> mappings;
  if (list.is_null()) return mappings;
  std::optional<Error> error;
  if (!list.is_array()) return Fail(ErrorCode::kInvalidArgument, "{}: must be a list", path);
  ReadMappings(list, path, error, mappings);
  if (error) return Fail(*std::move(error));
  return mappings;
}

json EffectiveSettings(const PipeSettings& settings) {
  json object = json::object();
  FieldWriter<PipeSettings> fields(object, settings, Written::kAll);
  DescribeSettings(fields, Limits());
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(settings.sync_interval);
  object["syncIntervalSeconds"] = seconds.count();
  object["syncIntervalMilliseconds"] = settings.sync_interval.count();
  return object;
}

json ToJson(const PipeSpec& spec) {
  json body = json::object();
  if (!spec.given.empty()) body = json::parse(spec.given);
  body["name"] = spec.name;
  WriteMysqlSource(spec, body["source"]["mysql"]);
  body["destination"]["database"] = spec.database;
  if (!spec.cluster.empty()) body["destination"]["cluster"] = spec.cluster;
  if (spec.clickhouse) {
    FieldWriter<clickhouse::Endpoint> fields(body["destination"]["clickhouse"], *spec.clickhouse);
    DescribeClickHouse(fields);
  }
  return body;
}

json ToJsonWithSecrets(const PipeSpec& spec) {
  json body = ToJson(spec);
  body["source"]["mysql"]["credentials"] = {{"username", spec.source.user},
                                            {"password", spec.source.password}};
  if (spec.clickhouse && !spec.clickhouse->password.empty()) {
    body["destination"]["clickhouse"]["password"] = spec.clickhouse->password;
  }
  return body;
}

}  // namespace penstock::pipe
