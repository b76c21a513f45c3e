#include "catalog/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog/catalog_for_test.h"

namespace penstock::catalog {
namespace {

class SchemaTest : public testing::Test {
 protected:
  SchemaTest() {
    auto opened = Sqlite::Open(folder_.path() / "file");
    PENSTOCK_CHECK(opened.has_value());
    database_ = *std::move(opened);
  }
  int64_t Version() { return **database_->QueryInt("PRAGMA user_version"); }
  int64_t Rows() { return **database_->QueryInt("SELECT count(*) FROM t"); }

  TemporaryFolder folder_;
  std::unique_ptr<Sqlite> database_;
};

constexpr const char* kMake = "CREATE TABLE t (a); INSERT INTO t VALUES (1);";
constexpr const char* kAdd = "INSERT INTO t VALUES (2);";
constexpr const char* kBroken = "INSERT INTO t VALUES (3); INSERT INTO absent VALUES (1);";

TEST_F(SchemaTest, EachMigrationRunsOnce) {
  const std::array first = {kMake};
  ASSERT_TRUE(Migrate(*database_, first));
  EXPECT_EQ(Version(), 1);
  const std::array both = {kMake, kAdd};
  ASSERT_TRUE(Migrate(*database_, both));
  ASSERT_TRUE(Migrate(*database_, both));
  EXPECT_EQ(Version(), 2);
  EXPECT_EQ(Rows(), 2);
}

TEST_F(SchemaTest, AFailedMigrationLeavesTheVersionBeforeIt) {
  const std::array broken = {kMake, kBroken};
  const Status status = Migrate(*database_, broken);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, testing::HasSubstr("migration 2"));
  EXPECT_EQ(Version(), 1);
  EXPECT_EQ(Rows(), 1);
  EXPECT_FALSE(database_->in_transaction());
  const std::array mended = {kMake, kAdd};
  EXPECT_TRUE(Migrate(*database_, mended));
}

TEST_F(SchemaTest, ANewerFileIsRefused) {
  const std::array two = {kMake, kAdd};
  ASSERT_TRUE(Migrate(*database_, two));
  const std::array one = {kMake};
  EXPECT_EQ(Migrate(*database_, one).error().code, ErrorCode::kConflict);
}

TEST_F(SchemaTest, TheRealMigrationsApply) { EXPECT_TRUE(Migrate(*database_)); }

}  // namespace
}  // namespace penstock::catalog
