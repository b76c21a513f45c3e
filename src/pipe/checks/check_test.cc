#include "pipe/checks/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
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

TEST_F(CheckTest, UnreachableServersAreFoundOnceAndUnderTheChecksName) {
  spec_.source.host = "127.0.0.1";
  spec_.source.port = 1;
  context_.destination_endpoint.url = "http://127.0.0.1:1";
  context_.tables.clear();
  const CheckReport report = RunChecks(context_);
  EXPECT_FALSE(report.ok());
  EXPECT_THAT(report.findings,
              ElementsAre(AllOf(IsOk(), Field(&Finding::check, "table_mapping")),
                          AllOf(IsError("127.0.0.1"), Field(&Finding::check, "source_connection")),
                          AllOf(Field(&Finding::severity, Severity::kError),
                                Field(&Finding::check, "destination_connection"))));
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

TEST_F(CheckTest, WhatThisVersionDoesNotSupportIsRefusedByName) {
  mapping().source.table = "*";
  EXPECT_THAT(Run(CheckTableMapping), ElementsAre(IsError("pattern")));
}

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

}  // namespace
}  // namespace penstock::pipe
