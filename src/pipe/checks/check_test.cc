#include "pipe/checks/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

using model::Column;
using model::SqlType;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

auto IsOk() { return Field(&Finding::severity, Severity::kOk); }
auto IsError(const std::string& part) {
  return AllOf(Field(&Finding::severity, Severity::kError),
               Field(&Finding::message, HasSubstr(part)), Field(&Finding::remedy, Not(IsEmpty())));
}
auto IsWarning(const std::string& part) {
  return AllOf(Field(&Finding::severity, Severity::kWarning),
               Field(&Finding::message, HasSubstr(part)));
}

Column IntColumn(std::string name, bool nullable) {
  Column column;
  column.name = std::move(name);
  column.type = SqlType::kInt;
  column.type_text = "int";
  column.nullable = nullable;
  return column;
}

// A pipe of shop.orders (id INT PRIMARY KEY, a INT NOT NULL, b INT) to analytics.orders.
class CheckTest : public testing::Test {
 protected:
  CheckTest() {
    mapping().source = {"shop", "orders"};
    mapping().target_table = "orders";
    spec_.database = "analytics";
    table().name = mapping().source;
    table().columns = {IntColumn("id", false), IntColumn("a", false), IntColumn("b", true)};
    table().key = {0};
    table().key_is_primary = true;
  }

  TableMapping& mapping() {
    if (spec_.tables.empty()) spec_.tables.emplace_back();
    return spec_.tables[0];
  }
  model::Table& table() { return context_.tables[{"shop", "orders"}]; }
  std::vector<Finding> Run(CheckFunction check) {
    std::vector<Finding> findings;
    check(context_, findings);
    return findings;
  }

  PipeSpec spec_;
  CheckContext context_{.spec = spec_};
};

TEST_F(CheckTest, NamesAreUniqueAndConnectionsComeBeforeWhatNeedsThem) {
  std::set<std::string_view> names;
  for (const NamedCheck& check : AllChecks()) {
    EXPECT_TRUE(names.insert(check.name).second) << check.name;
  }
  const auto place = [](std::string_view name) {
    const auto& checks = AllChecks();
    return std::ranges::find(checks, name, &NamedCheck::name) - checks.begin();
  };
  EXPECT_LT(place("source_connection"), place("source_version"));
  EXPECT_LT(place("tables_exist"), place("table_keys"));
  EXPECT_LT(place("destination_connection"), place("column_types"));
}

// docs/checks.md has a row for each, under the heading of its group, and for no other.
TEST_F(CheckTest, TheDocumentHasThemAll) {
  std::ifstream document(PENSTOCK_TESTDATA "/../../docs/checks.md");
  std::map<std::string, std::string> documented;  // group by name
  std::string heading;
  for (std::string line; std::getline(document, line);) {
    if (line.starts_with("## ")) heading = line.substr(3);
    if (!line.starts_with("| `")) continue;
    EXPECT_TRUE(documented.emplace(line.substr(3, line.find('`', 3) - 3), heading).second) << line;
  }
  EXPECT_EQ(documented.size(), AllChecks().size());
  for (const NamedCheck& check : AllChecks()) {
    std::string group = documented[std::string(check.name)];
    if (!group.empty()) group[0] = static_cast<char>(group[0] - 'A' + 'a');
    EXPECT_EQ(group, GroupName(check.group)) << check.name;
  }
}

TEST_F(CheckTest, ReportIsOkUnlessSomethingIsAnError) {
  CheckReport report;
  EXPECT_TRUE(report.ok());
  AddOk(report.findings, "a");
  AddWarning(report.findings, "b", "c");
  EXPECT_TRUE(report.ok());
  AddError(report.findings, "d", "e");
  EXPECT_FALSE(report.ok());
}

TEST_F(CheckTest, ErrorsKeepTheirNumberAndRemedy) {
  std::vector<Finding> findings;
  AddError(findings, Error{.code = ErrorCode::kNeedsUser,
                           .message = "Access denied",
                           .origin = "source",
                           .native_code = 1045,
                           .remedy = "Check the password"});
  EXPECT_THAT(findings, ElementsAre(IsError("1045")));
  EXPECT_EQ(findings[0].remedy, "Check the password");
  EXPECT_THAT(findings[0].message, Not(HasSubstr("Check the password")));
}

TEST_F(CheckTest, UnreachableServersAreFoundOnceAndTheRestIsNotRun) {
  spec_.source.host = "127.0.0.1";
  spec_.source.port = 1;
  context_.destination_endpoint.url = "http://127.0.0.1:1";
  context_.tables.clear();
  const CheckReport report = RunChecks(context_);
  EXPECT_FALSE(report.ok());
  std::map<std::string, Severity> found;
  for (const Finding& finding : report.findings) {
    EXPECT_TRUE(found.emplace(finding.check, finding.severity).second) << finding.check;
  }
  EXPECT_EQ(found.size(), AllChecks().size());
  for (const NamedCheck& check : AllChecks()) {
    const bool connects = check.name.ends_with("_connection");
    const bool needs_none = check.name == "pipe_name" || check.name == "table_mapping" ||
                            check.name == "target_owners" || check.name == "table_engines";
    EXPECT_EQ(found[std::string(check.name)], connects     ? Severity::kError
                                              : needs_none ? Severity::kOk
                                                           : Severity::kNotRun)
        << check.name;
  }
  EXPECT_TRUE(std::ranges::is_sorted(report.findings, {}, &Finding::group));
}

TEST_F(CheckTest, ASnapshotNeedsNoLog) {
  spec_.source.port = 1;
  spec_.settings.mode = ReplicationMode::kSnapshot;
  for (const Finding& finding : RunChecks(context_).findings) {
    if (finding.check != "binlog_format") continue;
    EXPECT_EQ(finding.severity, Severity::kOk);
    EXPECT_THAT(finding.message, HasSubstr("not needed"));
  }
}

TEST_F(CheckTest, AStopEndsTheChecks) {
  std::stop_source source;
  source.request_stop();
  context_.stop = source.get_token();
  const CheckReport report = RunChecks(context_);
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(report.findings.size(), 1U);
}

TEST_F(CheckTest, NoDestinationIsSaid) {
  context_.destination_endpoint.url.clear();
  EXPECT_THAT(Run(CheckDestinationConnection), ElementsAre(IsError("names no ClickHouse")));
}

TEST_F(CheckTest, MappingAsUsual) { EXPECT_THAT(Run(CheckTableMapping), ElementsAre(IsOk())); }

TEST_F(CheckTest, OneSourceAndOneTargetPerMapping) {
  TableMapping other = mapping();
  other.source.table = "customers";
  spec_.tables.push_back(other);
  EXPECT_THAT(Run(CheckTableMapping), ElementsAre(IsError("target table orders")));
  spec_.tables[1] = spec_.tables[0];
  spec_.tables[1].target_table = "orders2";
  EXPECT_THAT(Run(CheckTableMapping), ElementsAre(IsError("mapped more than once")));
  spec_.tables.clear();
  EXPECT_THAT(Run(CheckTableMapping), ElementsAre(IsError("no table")));
}

TEST_F(CheckTest, SortingKeysAndTheirSwitchBelongTogether) {
  mapping().use_custom_sorting_key = true;
  EXPECT_THAT(Run(CheckTableMapping), ElementsAre(IsError("sortingKeys")));
  mapping().use_custom_sorting_key = false;
  mapping().sorting_keys = {"a"};
  EXPECT_THAT(Run(CheckTableMapping), ElementsAre(IsWarning("ignored")));
}

TEST_F(CheckTest, ATableWithoutAKeyIsRefused) {
  EXPECT_THAT(Run(CheckTableKeys), ElementsAre(IsOk()));
  table().key.clear();
  EXPECT_THAT(Run(CheckTableKeys), ElementsAre(IsError("shop.orders")));
}

TEST_F(CheckTest, NamedColumnsMustExist) {
  EXPECT_THAT(Run(CheckTableColumns), ElementsAre(IsOk()));
  mapping().excluded_columns = {"nosuch"};
  EXPECT_THAT(Run(CheckTableColumns), ElementsAre(IsError("nosuch")));
  mapping().excluded_columns = {};
  mapping().use_custom_sorting_key = true;
  mapping().sorting_keys = {"nosuch"};
  const std::vector<Finding> findings = Run(CheckTableColumns);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].severity, Severity::kError);
  EXPECT_THAT(findings[0].message, HasSubstr("nosuch"));
}

TEST_F(CheckTest, AnExtendedSortingKeyIsSaid) {
  mapping().use_custom_sorting_key = true;
  mapping().sorting_keys = {"a"};
  const std::vector<Finding> findings = Run(CheckTableColumns);
  ASSERT_THAT(findings, ElementsAre(IsOk()));
  EXPECT_THAT(findings[0].message, HasSubstr("(a, id)"));
}

TEST_F(CheckTest, MetaNamesMustBeFree) {
  table().columns[2].name = "_penstock_version";
  EXPECT_THAT(Run(CheckTableColumns), ElementsAre(IsError("_penstock_version")));
  mapping().excluded_columns = {"_penstock_version"};
  EXPECT_THAT(Run(CheckTableColumns), ElementsAre(IsOk()));
}

TEST_F(CheckTest, AnUnsupportedTypeIsNamedUnlessExcluded) {
  EXPECT_THAT(Run(CheckColumnTypes), ElementsAre(IsOk()));
  table().columns[2].type = SqlType::kUnsupported;
  table().columns[2].type_text = "geometry";
  EXPECT_THAT(Run(CheckColumnTypes), ElementsAre(IsError("geometry")));
  mapping().excluded_columns = {"b"};
  EXPECT_THAT(Run(CheckColumnTypes), ElementsAre(IsOk()));
}

TEST_F(CheckTest, TimeNeedsAClickHouseThatHasIt) {
  table().columns[2].type = SqlType::kTime;
  table().columns[2].type_text = "time";
  context_.destination_version = 2508;
  EXPECT_THAT(Run(CheckColumnTypes), ElementsAre(IsOk()));
  context_.destination_version = 2505;
  EXPECT_THAT(Run(CheckColumnTypes), ElementsAre(IsError("25.6")));
}

TEST_F(CheckTest, ARefusalIsAWarningThatNamesTheRightAndAnythingElseAnError) {
  std::vector<Finding> findings;
  AddUnanswered(
      findings, "foreign keys",
      {.code = ErrorCode::kNeedsUser, .message = "denied", .origin = "source", .native_code = 1142},
      "GRANT SELECT ON a.b TO 'c'@'%';");
  EXPECT_THAT(findings, ElementsAre(IsWarning("foreign keys could not be looked at: denied")));
  EXPECT_EQ(findings[0].statement, "GRANT SELECT ON a.b TO 'c'@'%';");
  EXPECT_THAT(findings[0].remedy, HasSubstr("Have it granted"));
  findings.clear();
  AddUnanswered(findings, "views",
                {.code = ErrorCode::kNeedsUser,
                 .message = "denied",
                 .origin = "destination",
                 .native_code = 497});
  EXPECT_THAT(findings, ElementsAre(IsWarning("views")));
  findings.clear();
  AddUnanswered(
      findings, "views",
      {.code = ErrorCode::kRetry, .message = "gone", .origin = "source", .native_code = 2013});
  EXPECT_EQ(findings[0].severity, Severity::kError);
}

TEST_F(CheckTest, Durations) {
  EXPECT_EQ(DurationText(0), "1 s");
  EXPECT_EQ(DurationText(59), "59 s");
  EXPECT_EQ(DurationText(600), "10 min");
  EXPECT_EQ(DurationText(5400), "1.5 h");
  EXPECT_EQ(DurationText(259200), "3.0 days");
}

}  // namespace
}  // namespace penstock::pipe
