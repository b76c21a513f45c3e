#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mysql/wire/start_position.h"
#include "pipe/checks/checks.h"
#include "pipe/checks/foreign_key_cascades.h"
#include "pipe/checks/materialized_views.h"

namespace penstock::pipe {
namespace {

using testing::HasSubstr;

// Checks of what the source's variables say, against facts without a server.
class SourceCheckTest : public testing::Test {
 protected:
  SourceCheckTest() {
    context_.facts = SourceFacts{
        .server = {.flavour = mysql::Flavour::kMysql, .version = "8.4.3", .number = 80'403},
        .account = "'penstock'@'%'",
        .variables = {}};
  }

  // Of the check with these variables; it must find one thing.
  Finding Run(CheckFunction check, std::map<std::string, std::string, std::less<>> variables) {
    context_.facts->variables = std::move(variables);
    std::vector<Finding> findings;
    check(context_, findings);
    EXPECT_EQ(findings.size(), 1U);
    return findings.empty() ? Finding() : findings[0];
  }
  Severity SeverityOf(CheckFunction check,
                      std::map<std::string, std::string, std::less<>> variables) {
    return Run(check, std::move(variables)).severity;
  }

  PipeSpec spec_;
  CheckContext context_{.spec = spec_};
};

TEST_F(SourceCheckTest, ThisServersOwnWayToChangeAVariable) {
  const VariableChange format{.name = "binlog_format", .value = "ROW", .by_session = true};
  const auto statement = [&](Hosting hosting, mysql::ServerInfo server) {
    return RemedyOf(format, hosting, server).statement;
  };
  const mysql::ServerInfo mysql84 = context_.facts->server;
  const mysql::ServerInfo mysql57{
      .flavour = mysql::Flavour::kMysql, .version = "5.7.44", .number = 50'744};
  const mysql::ServerInfo mariadb{
      .flavour = mysql::Flavour::kMariadb, .version = "10.11.6", .number = 101'106};
  EXPECT_EQ(statement(Hosting::kSelf, mysql84), "SET PERSIST binlog_format = 'ROW';");
  EXPECT_EQ(statement(Hosting::kSelf, mysql57), "SET GLOBAL binlog_format = 'ROW';");
  EXPECT_EQ(statement(Hosting::kSelf, mariadb), "SET GLOBAL binlog_format = 'ROW';");
  EXPECT_THAT(statement(Hosting::kRds, mysql84),
              HasSubstr("aws rds modify-db-parameter-group --db-parameter-group-name GROUP "
                        "--parameters ParameterName=binlog_format,ParameterValue=ROW"));
  EXPECT_THAT(statement(Hosting::kAurora, mysql84), HasSubstr("modify-db-cluster-parameter-group"));
  EXPECT_THAT(statement(Hosting::kCloudSql, mysql84), HasSubstr("--database-flags=binlog_format="));
  EXPECT_THAT(statement(Hosting::kAzure, mysql84), HasSubstr("az mysql flexible-server"));
  EXPECT_THAT(RemedyOf(format, Hosting::kSelf, mariadb).text, HasSubstr("reconnect"));
  const Remedy restart = RemedyOf(
      {.name = "log_slave_updates", .value = "ON", .needs_restart = true}, Hosting::kSelf, mariadb);
  EXPECT_EQ(restart.statement, "");
  EXPECT_THAT(restart.text, HasSubstr("restart"));
  EXPECT_EQ(RemedyOf({.name = "server_id", .value = "1"}, Hosting::kSelf, mysql84).statement,
            "SET PERSIST server_id = 1;");
}

TEST_F(SourceCheckTest, WhoRunsTheServer) {
  EXPECT_EQ(HostingOf({.type = "mysql", .version = "8.4.3", .basedir = "/usr"}), Hosting::kSelf);
  EXPECT_EQ(HostingOf({.type = "", .version = "8.0.35", .basedir = "/rdsdbbin/mysql-8.0.35.R2/"}),
            Hosting::kRds);
  EXPECT_EQ(HostingOf({.type = "rdsmariadb", .version = "", .basedir = ""}), Hosting::kRds);
  EXPECT_EQ(HostingOf({.type = "rdsmysql", .version = "", .basedir = "", .is_aurora = true}),
            Hosting::kAurora);
  EXPECT_EQ(HostingOf({.type = "mysql", .version = "8.0.31-google", .basedir = ""}),
            Hosting::kCloudSql);
}

TEST_F(SourceCheckTest, AReaderOfAnAuroraClusterHasNoLog) {
  EXPECT_EQ(SeverityOf(CheckWriterEndpoint, {{"innodb_read_only", "ON"}}), Severity::kOk);
  EXPECT_EQ(
      SeverityOf(CheckWriterEndpoint, {{"aurora_version", "3.08.0"}, {"innodb_read_only", "OFF"}}),
      Severity::kOk);
  const Finding found =
      Run(CheckWriterEndpoint, {{"aurora_version", "3.08.0"}, {"innodb_read_only", "ON"}});
  EXPECT_EQ(found.severity, Severity::kError);
  EXPECT_THAT(found.message, HasSubstr("reader"));
  EXPECT_THAT(found.remedy, HasSubstr("writer endpoint"));
}

TEST_F(SourceCheckTest, RowMetadata) {
  EXPECT_EQ(SeverityOf(CheckBinlogRowMetadata, {{"binlog_row_metadata", "FULL"}}), Severity::kOk);
  for (const char* value : {"MINIMAL", "NO_LOG"}) {
    const Finding found = Run(CheckBinlogRowMetadata, {{"binlog_row_metadata", value}});
    EXPECT_EQ(found.severity, Severity::kWarning);
    EXPECT_EQ(found.statement, "SET PERSIST binlog_row_metadata = 'FULL';");
  }
  const Finding none = Run(CheckBinlogRowMetadata, {});
  EXPECT_EQ(none.severity, Severity::kWarning);
  EXPECT_EQ(none.statement, "");
}

TEST_F(SourceCheckTest, GtidMode) {
  EXPECT_EQ(SeverityOf(CheckGtidMode, {{"gtid_mode", "ON"}}), Severity::kOk);
  const Finding off = Run(CheckGtidMode, {{"gtid_mode", "OFF"}});
  EXPECT_EQ(off.severity, Severity::kWarning);
  EXPECT_THAT(off.statement, HasSubstr("SET PERSIST gtid_mode = ON;"));
  context_.facts->hosting = Hosting::kRds;
  EXPECT_THAT(Run(CheckGtidMode, {{"gtid_mode", "OFF_PERMISSIVE"}}).statement,
              HasSubstr("ParameterName=gtid-mode"));
  context_.facts->server.flavour = mysql::Flavour::kMariadb;
  EXPECT_EQ(SeverityOf(CheckGtidMode, {}), Severity::kOk);
}

TEST_F(SourceCheckTest, ALogThatIsOffIsTurnedOnWhereItIsHosted) {
  EXPECT_EQ(SeverityOf(CheckBinlogEnabled, {{"log_bin", "ON"}}), Severity::kOk);
  EXPECT_THAT(Run(CheckBinlogEnabled, {{"log_bin", "OFF"}}).remedy, HasSubstr("log_bin"));
  context_.facts->hosting = Hosting::kRds;
  EXPECT_THAT(Run(CheckBinlogEnabled, {{"log_bin", "OFF"}}).statement,
              HasSubstr("--backup-retention-period"));
  context_.facts->hosting = Hosting::kCloudSql;
  EXPECT_THAT(Run(CheckBinlogEnabled, {{"log_bin", "OFF"}}).statement,
              HasSubstr("--enable-bin-log"));
}

TEST_F(SourceCheckTest, CompressionTakesMemoryByItsLevel) {
  const std::string level = "binlog_transaction_compression_level_zstd";
  EXPECT_EQ(SeverityOf(CheckTransactionCompression, {{"binlog_transaction_compression", "OFF"}}),
            Severity::kOk);
  EXPECT_EQ(SeverityOf(CheckTransactionCompression,
                       {{"binlog_transaction_compression", "ON"}, {level, "3"}}),
            Severity::kOk);
  const Finding high =
      Run(CheckTransactionCompression, {{"binlog_transaction_compression", "ON"}, {level, "22"}});
  EXPECT_EQ(high.severity, Severity::kWarning);
  EXPECT_THAT(high.message, HasSubstr("128 MiB"));
}

TEST(LogFilterTest, OnlyListedDatabasesAreLoggedElseAllButTheIgnored) {
  const mysql::LogFilter none;
  EXPECT_FALSE(none.Hides("shop", false));
  const mysql::LogFilter only{.only = {"a", "b"}, .never = {"a"}};
  EXPECT_FALSE(only.Hides("a", false));
  EXPECT_TRUE(only.Hides("A", false));
  EXPECT_FALSE(only.Hides("A", true));
  EXPECT_TRUE(only.Hides("shop", false));
  const mysql::LogFilter never{.only = {}, .never = {"shop"}};
  EXPECT_TRUE(never.Hides("shop", false));
  EXPECT_FALSE(never.Hides("shop2", false));
}

TEST(ViewTargetTest, OfItsStatement) {
  const TargetName view{.database = "d", .table = "v"};
  const auto target = [&](std::string_view create, std::string_view uuid = "u-1") {
    const TargetName name = TargetOfView(create, view, uuid);
    return name.database + "|" + name.table;
  };
  EXPECT_EQ(target("CREATE MATERIALIZED VIEW d.v TO e.t (`a` Int32) AS SELECT a FROM d.s"), "e|t");
  EXPECT_EQ(target("CREATE MATERIALIZED VIEW d.v TO `e x`.`t\\`y` AS SELECT a FROM d.s"),
            "e x|t`y");
  EXPECT_EQ(target("CREATE MATERIALIZED VIEW `d`.v TO t AS SELECT 1"), "d|t");
  EXPECT_EQ(target("CREATE MATERIALIZED VIEW d.v REFRESH EVERY 1 DAY TO e.t AS SELECT 1"), "e|t");
  EXPECT_EQ(target("CREATE MATERIALIZED VIEW d.v (`a` Int32) ENGINE = Memory AS SELECT ' TO x'"),
            "d|.inner_id.u-1");
  EXPECT_EQ(target("CREATE MATERIALIZED VIEW d.v (`a` Int32) ENGINE = Memory AS SELECT 1",
                   "00000000-0000-0000-0000-000000000000"),
            "d|.inner.v");
  EXPECT_EQ(target("CREATE MATERIALIZED VIEW d.v TO INNER UUID 'abc' (`a` Int8) AS SELECT 1"),
            "d|.inner_id.abc");
}

TEST(ViewTargetTest, Windows) {
  EXPECT_TRUE(HasDeduplicationWindow(
      "MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100, x = 1"));
  EXPECT_FALSE(HasDeduplicationWindow(
      "MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 0"));
  EXPECT_FALSE(HasDeduplicationWindow("MergeTree ORDER BY a"));
}

TEST(CascadesTest, OfTheStatement) {
  const auto cascades = CascadesOf(
      "CREATE TABLE `c` (\n"
      "  `id` int COMMENT '` FOREIGN KEY (x) ON DELETE CASCADE',\n"
      "  CONSTRAINT `a` FOREIGN KEY (`p`) REFERENCES `p` (`id`) ON DELETE CASCADE,\n"
      "  CONSTRAINT `b` FOREIGN KEY (`q`) REFERENCES `p` (`id`) ON DELETE NO ACTION ON UPDATE SET "
      "NULL,\n"
      "  CONSTRAINT `c` FOREIGN KEY (`r`) REFERENCES `p` (`id`),\n"
      "  CONSTRAINT `d` FOREIGN KEY (`r`) REFERENCES `p` (`id`) ON DELETE NO ACTION,\n"
      "  CONSTRAINT `e` CHECK (`r` <> ' ON DELETE CASCADE')\n) ENGINE=InnoDB");
  ASSERT_EQ(cascades.size(), 2U);
  EXPECT_EQ(cascades[0].key, "a");
  EXPECT_EQ(cascades[0].rules, "ON DELETE CASCADE");
  EXPECT_EQ(cascades[1].key, "b");
  EXPECT_EQ(cascades[1].rules, "ON DELETE NO ACTION ON UPDATE SET NULL");
}

}  // namespace
}  // namespace penstock::pipe
