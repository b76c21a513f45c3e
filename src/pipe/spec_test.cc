#include "pipe/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace penstock::pipe {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

json Minimal() {
  return json::parse(R"({
    "name": "shop",
    "source": {"mysql": {
      "host": "db.example.com", "port": 3306,
      "credentials": {"username": "penstock", "password": "s3cret"},
      "settings": {"replicationMode": "cdc"},
      "tableMappings": [
        {"sourceSchemaName": "shop", "sourceTable": "orders", "targetTable": "orders"}]}},
    "destination": {"database": "analytics"}
  })");
}

// Every field there is, none at its default.
json Full() {
  return json::parse(R"json({
    "name": "everything",
    "source": {
      "validateSamples": true,
      "mysql": {
        "type": "rdsmariadb", "host": "::1", "port": 3307, "authentication": "basic",
        "credentials": {"username": "penstock", "password": "s3cret"},
        "tlsHost": "db.internal", "caCertificate": "-----BEGIN CERTIFICATE-----\nx",
        "disableTls": true, "skipCertVerification": true, "serverId": 4294967295,
        "settings": {
          "replicationMode": "cdc_only", "replicationMechanism": "FILE_POS",
          "syncIntervalMilliseconds": 250, "pullBatchSize": 7, "useCompression": true,
          "allowNullableColumns": false, "initialLoadParallelism": 8,
          "snapshotNumRowsPerPartition": 1000, "snapshotNumberOfParallelTables": 3,
          "deleteOnMerge": true, "tinyint1isBool": true, "autoAddTables": true,
          "startPosition": {"file": "bin.000001", "offset": 157}},
        "tableMappings": [
          {"sourceSchemaName": "a.b", "sourceTable": "*", "targetTable": "t",
           "excludedTables": ["x*"], "excludedColumns": ["x", "y"], "useCustomSortingKey": true, "sortingKeys": ["k"],
           "tableEngine": "MergeTree", "partitionKey": "id", "identicalRowsMayCollapse": true,
           "columnOverrides": [{"sourceColumn": "c", "targetType": "JSON", "codec": "ZSTD(3)"},
                               {"sourceColumn": "d", "codec": "LZ4"}]},
          {"sourceSchemaName": "a", "sourceTable": "u", "targetTable": "u",
           "tableEngine": "Null"}]}},
    "destination": {
      "database": "d", "table": "t", "managedTable": true, "tableDefinition": {"engine": {}},
      "columns": [{"name": "c"}], "roles": ["r"],
      "clickhouse": {"url": "https://ch:8443", "user": "u", "password": "other s3cret",
                     "caCertificate": "pem", "skipCertVerification": true,
                     "compression": "lz4"}},
    "fieldMappings": [{"sourceField": "s", "destinationField": "d"}],
    "scaling": {"replicas": 1},
    "settings": {"streaming_max_insert_wait_ms": 500}
  })json");
}

json WithoutSecrets(json body) {
  body["source"]["mysql"].erase("credentials");
  if (body["destination"].contains("clickhouse")) {
    body["destination"]["clickhouse"].erase("password");
  }
  return body;
}

std::string ErrorOf(const json& body) {
  const Result<PipeSpec> spec = ParsePipeSpec(body);
  if (spec) return "no error";
  EXPECT_EQ(spec.error().code, ErrorCode::kInvalidArgument);
  return spec.error().message;
}

// The error of the minimal body with the value at `pointer` replaced.
std::string ErrorWith(const char* pointer, json value) {
  json body = Minimal();
  body[json::json_pointer(pointer)] = std::move(value);
  return ErrorOf(body);
}

std::string ErrorWithout(const char* parent, const char* key) {
  json body = Minimal();
  body[json::json_pointer(parent)].erase(key);
  return ErrorOf(body);
}

TEST(Spec, MinimalBodyTakesTheDefaults) {
  const Result<PipeSpec> spec = ParsePipeSpec(Minimal());
  ASSERT_TRUE(spec) << spec.error().ToString();
  EXPECT_EQ(spec->name, "shop");
  EXPECT_EQ(spec->source.host, "db.example.com");
  EXPECT_EQ(spec->source.port, 3306);
  EXPECT_EQ(spec->source.user, "penstock");
  EXPECT_EQ(spec->source.password, "s3cret");
  EXPECT_FALSE(spec->source.disable_tls);
  EXPECT_EQ(spec->settings.mode, ReplicationMode::kCdc);
  EXPECT_EQ(spec->settings.sync_interval, std::chrono::seconds(10));
  EXPECT_TRUE(spec->settings.allow_nullable_columns);
  EXPECT_EQ(spec->server_id, std::nullopt);
  ASSERT_EQ(spec->mappings.size(), 1u);
  EXPECT_EQ(spec->mappings[0].engine, clickhouse::Engine::kReplacingMergeTree);
  EXPECT_EQ(spec->database, "analytics");
  EXPECT_FALSE(spec->clickhouse);
}

TEST(Spec, FullBodyIsReadWhole) {
  const Result<PipeSpec> spec = ParsePipeSpec(Full());
  ASSERT_TRUE(spec) << spec.error().ToString();
  EXPECT_EQ(spec->source_type, "rdsmariadb");
  EXPECT_EQ(spec->source.tls_host, "db.internal");
  EXPECT_TRUE(spec->source.use_compression);
  EXPECT_EQ(spec->server_id, 4294967295u);
  EXPECT_EQ(spec->settings.replication_mechanism, "FILE_POS");
  EXPECT_EQ(spec->settings.sync_interval, std::chrono::milliseconds(250));
  EXPECT_EQ(spec->settings.pull_batch_size, 7u);
  EXPECT_EQ(spec->settings.snapshot_parallel_tables, 3u);
  ASSERT_EQ(spec->mappings.size(), 2u);
  EXPECT_EQ(spec->mappings[0].source, (model::TableName{"a.b", "*"}));
  EXPECT_THAT(spec->mappings[0].excluded_columns, ElementsAre("x", "y"));
  EXPECT_THAT(spec->mappings[0].sorting_keys, ElementsAre("k"));
  EXPECT_EQ(spec->mappings[1].engine, clickhouse::Engine::kNull);
  ASSERT_TRUE(spec->clickhouse);
  EXPECT_EQ(spec->clickhouse->password, "other s3cret");
  EXPECT_EQ(spec->clickhouse->compression, clickhouse::Compression::kLz4);
}

TEST(Spec, AnswersHoldWhatWasGivenAndNoSecrets) {
  for (const json& body : {Minimal(), Full()}) {
    const Result<PipeSpec> spec = ParsePipeSpec(body);
    ASSERT_TRUE(spec);
    EXPECT_EQ(ToJson(*spec), WithoutSecrets(body));
    EXPECT_THAT(ToJson(*spec).dump(), Not(HasSubstr("s3cret")));
    EXPECT_THAT(spec->given, Not(HasSubstr("s3cret")));
  }
}

TEST(Spec, TheCatalogsFormIsReadBackToAnEqualSpec) {
  for (const json& body : {Minimal(), Full()}) {
    const Result<PipeSpec> spec = ParsePipeSpec(body);
    ASSERT_TRUE(spec);
    const json stored = ToJsonWithSecrets(*spec);
    const Result<PipeSpec> again = ParsePipeSpec(stored);
    ASSERT_TRUE(again) << again.error().ToString();
    EXPECT_EQ(ToJsonWithSecrets(*again), stored);
    EXPECT_EQ(again->source.password, spec->source.password);
    EXPECT_EQ(again->mappings, spec->mappings);
    EXPECT_EQ(again->given, spec->given);
  }
}

TEST(Spec, AnswersFollowAChangedSpec) {
  Result<PipeSpec> spec = ParsePipeSpec(Minimal());
  ASSERT_TRUE(spec);
  spec->settings.sync_interval = std::chrono::seconds(3);
  spec->settings.pull_batch_size = 5;
  spec->mappings.push_back(spec->mappings[0]);
  const json body = ToJson(*spec);
  const json& settings = body["source"]["mysql"]["settings"];
  EXPECT_EQ(settings, json::parse(R"({"replicationMode": "cdc", "syncIntervalSeconds": 3,
                                      "pullBatchSize": 5})"));
  EXPECT_EQ(body["source"]["mysql"]["tableMappings"].size(), 2u);
}

TEST(Spec, NullIsAbsent) {
  json body = Minimal();
  body["source"]["mysql"]["type"] = nullptr;
  body["source"]["mysql"]["serverId"] = nullptr;
  body["source"]["kafka"] = nullptr;
  body["settings"] = nullptr;
  const Result<PipeSpec> spec = ParsePipeSpec(body);
  ASSERT_TRUE(spec) << spec.error().ToString();
  EXPECT_EQ(spec->source_type, "");
}

TEST(Spec, MissingFieldsAreNamed) {
  EXPECT_EQ(ErrorWithout("", "name"), "name: missing");
  EXPECT_EQ(ErrorWithout("", "source"), "source: missing");
  EXPECT_EQ(ErrorWithout("/source", "mysql"), "source.mysql: missing");
  EXPECT_EQ(ErrorWithout("/source/mysql", "host"), "source.mysql.host: missing");
  EXPECT_EQ(ErrorWithout("/source/mysql", "port"), "source.mysql.port: missing");
  EXPECT_EQ(ErrorWithout("/source/mysql", "credentials"), "source.mysql.credentials: missing");
  EXPECT_EQ(ErrorWithout("/source/mysql/credentials", "username"),
            "source.mysql.credentials.username: missing");
  EXPECT_EQ(ErrorWithout("/source/mysql/settings", "replicationMode"),
            "source.mysql.settings.replicationMode: missing");
  EXPECT_EQ(ErrorWithout("/source/mysql/tableMappings/0", "targetTable"),
            "source.mysql.tableMappings[0].targetTable: missing");
  EXPECT_EQ(ErrorWithout("/destination", "database"), "destination.database: missing");
}

TEST(Spec, UnknownFieldsAreNamed) {
  EXPECT_EQ(ErrorWith("/nmae", "x"), "nmae: unknown field; perhaps name");
  EXPECT_EQ(
      ErrorWith("/source/mysql/settings/syncInterval", 1),
      "source.mysql.settings.syncInterval: unknown field; perhaps syncIntervalMilliseconds or "
      "syncIntervalSeconds");
  EXPECT_EQ(ErrorWith("/source/mysql/tableMappings/0/target", "x"),
            "source.mysql.tableMappings[0].target: unknown field; perhaps targetTable");
  EXPECT_EQ(ErrorWith("/source/mysql/credentials/secret", "x"),
            "source.mysql.credentials.secret: unknown field; there are password, username");
}

TEST(Spec, AStartPositionDecidesTheMechanism) {
  json body = Minimal();
  json& settings = body["source"]["mysql"]["settings"];
  settings["startPosition"] = {{"gtid", "0-1-7"}};
  constexpr std::string_view kPath = "source.mysql.settings.startPosition";
  EXPECT_EQ(ErrorOf(body), fmt::format("{}: is for replicationMode cdc_only", kPath));
  settings["replicationMode"] = "cdc_only";
  EXPECT_EQ(ParsePipeSpec(body)->settings.MechanismWanted(), "GTID");
  settings["replicationMechanism"] = "FILE_POS";
  EXPECT_EQ(ErrorOf(body), fmt::format("{}: does not fit replicationMechanism", kPath));
  settings["startPosition"] = {{"file", "bin.1"}, {"offset", 5}};
  EXPECT_EQ(ParsePipeSpec(body)->settings.start_position->offset, 5u);
  settings["startPosition"]["gtid"] = "0-1-7";
  EXPECT_EQ(ErrorOf(body), fmt::format("{}.gtid: give it, or file and offset", kPath));
}

TEST(Spec, WrongValuesAreNamed) {
  EXPECT_EQ(ErrorWith("/name", ""), "name: must not be empty");
  EXPECT_EQ(ErrorWith("/name", std::string(256, 'x')), "name: must not be longer than 255 bytes");
  EXPECT_EQ(ErrorWith("/name", "a\nb"), "name: must not hold control characters");
  EXPECT_EQ(ErrorWith("/name", 7), "name: must be a string");
  EXPECT_EQ(ErrorWith("/source", json::array()), "source: must be an object");
  for (const json& port : {json(0), json(65536), json(-1), json(1.5), json("3306"), json(true)}) {
    EXPECT_EQ(ErrorWith("/source/mysql/port", port),
              "source.mysql.port: must be a whole number from 1 to 65535");
  }
  EXPECT_EQ(ErrorWith("/source/mysql/type", "postgres"),
            "source.mysql.type: must be one of: mysql, rdsmysql, auroramysql, mariadb, rdsmariadb");
  EXPECT_EQ(ErrorWith("/source/mysql/tableMappings", json::array()),
            "source.mysql.tableMappings: must be a list of at least one mapping");
  EXPECT_EQ(ErrorWith("/source/mysql/tableMappings/0/excludedColumns", {"a", "a"}),
            "source.mysql.tableMappings[0].excludedColumns: must not hold a string twice");
  EXPECT_EQ(ErrorWith("/source/mysql/settings/snapshotNumRowsPerPartition", 999),
            "source.mysql.settings.snapshotNumRowsPerPartition: must be a whole number from 1000 "
            "to 1000000000");
  EXPECT_EQ(ErrorOf(json::array()), "body: must be an object");
}

// A server started for tests takes partitions of a row, and reads them back from its catalog;
// any other refuses both.
TEST(Spec, OnlyTheLimitsForTestsAllowTinyPartitions) {
  json body = Minimal();
  body["source"]["mysql"]["settings"]["snapshotNumRowsPerPartition"] = 2;
  const Result<PipeSpec> spec = ParsePipeSpec(body, Limits::ForTests());
  ASSERT_TRUE(spec) << spec.error().ToString();
  EXPECT_EQ(spec->settings.snapshot_rows_per_partition, 2u);
  const json stored = ToJsonWithSecrets(*spec);
  EXPECT_TRUE(ParsePipeSpec(stored, Limits::ForTests()));
  EXPECT_THAT(ErrorOf(stored), HasSubstr("must be a whole number from 1000"));
}

TEST(Spec, IamRoleIsRefusedByName) {
  EXPECT_EQ(ErrorWith("/source/mysql/authentication", "IAM_ROLE"),
            "source.mysql.authentication: IAM_ROLE is not supported; use basic, with a user and "
            "password");
  EXPECT_EQ(ErrorWith("/source/mysql/iamRole", "arn:aws:iam::1:role/x"),
            "source.mysql.iamRole: IAM authentication is not supported; use credentials");
}

TEST(Spec, SshTunnelsAreRefusedByName) {
  for (const char* key : {"sshTunnel", "ssh", "sshHost", "ssh_config"}) {
    EXPECT_THAT(ErrorWith((std::string("/source/mysql/") + key).c_str(), json::object()),
                HasSubstr(std::string("source.mysql.") + key + ": SSH tunnels are not supported"));
  }
}

TEST(Spec, OnlyOneSyncInterval) {
  json body = Minimal();
  body["source"]["mysql"]["settings"]["syncIntervalSeconds"] = 1;
  body["source"]["mysql"]["settings"]["syncIntervalMilliseconds"] = 1000;
  EXPECT_EQ(ErrorOf(body),
            "source.mysql.settings.syncIntervalMilliseconds: give it or syncIntervalSeconds");
}

TEST(Spec, AUnixSocketNeedsNoPort) {
  json body = Minimal();
  body["source"]["mysql"]["host"] = "/run/mysqld/mysqld.sock";
  body["source"]["mysql"].erase("port");
  EXPECT_EQ(ErrorOf(body), "no error");
}

TEST(Spec, ClickHouseUrlsHoldNoSecrets) {
  const auto with_url = [](const char* url) {
    return ErrorWith("/destination/clickhouse", {{"url", url}});
  };
  EXPECT_EQ(with_url("http://127.0.0.1:8123"), "no error");
  EXPECT_EQ(with_url("tcp://x:9000"),
            "destination.clickhouse.url: must begin with http:// or https://");
  EXPECT_THAT(with_url("https://user:s3cret@x"), HasSubstr("must not hold a user"));
  EXPECT_THAT(with_url("https://user:s3cret@x"), Not(HasSubstr("s3cret")));
  EXPECT_THAT(with_url("https://x/?password=s3cret"), HasSubstr("must not hold a user"));
}

}  // namespace
}  // namespace penstock::pipe
