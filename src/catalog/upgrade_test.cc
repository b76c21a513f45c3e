#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "catalog/catalog.h"
#include "catalog/catalog_for_test.h"
#include "catalog/schema.h"
#include "catalog/sqlite.h"

// Catalogs of earlier versions, as tests/data/catalogs keeps them, upgraded to the newest.

namespace penstock::catalog {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const fs::path kDumps = fs::path(PENSTOCK_TESTDATA) / "catalogs";

std::string TextOf(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

std::vector<std::string> Names(Sqlite& database, const std::string& query) {
  std::vector<std::string> names;
  EXPECT_TRUE(database.Query(query.c_str(), {}, [&](const SqlRow& row) {
    names.push_back(row.Text(0));
    return Status();
  }));
  return names;
}

using Columns = std::map<std::string, std::vector<std::string>>;  // by table

Columns ColumnsOf(Sqlite& database) {
  Columns columns;
  const auto tables = Names(database,
                            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE "
                            "'sqlite_%' ORDER BY name");
  for (const auto& table : tables) {
    columns[table] = Names(
        database, fmt::format("SELECT name FROM pragma_table_info('{}') ORDER BY cid", table));
  }
  return columns;
}

// Every value of these columns, as SQL literals.
std::vector<std::string> RowsOf(Sqlite& database, const Columns& columns) {
  std::vector<std::string> rows;
  for (const auto& [table, names] : columns) {
    std::string values;
    for (const auto& name : names) {
      values += fmt::format("{}quote(\"{}\")", values.empty() ? "" : " || ',' || ", name);
    }
    for (const auto& row :
         Names(database, fmt::format("SELECT {} FROM {} ORDER BY 1", values, table))) {
      rows.push_back(table + ": " + row);
    }
  }
  return rows;
}

// The parameter: a version that is older than the newest, from 1.
class UpgradeTest : public testing::TestWithParam<int> {
 protected:
  // A data directory as a penstock of that version left it. Where no dump of the version is kept,
  // it is that of the last one before it, with the migrations in between.
  UpgradeTest() {
    fs::create_directory(data_dir_);
    fs::permissions(data_dir_, fs::perms::owner_all);
    fs::copy_file(kDumps / "secret.key", data_dir_ / "secret.key");
    fs::permissions(data_dir_ / "secret.key", fs::perms::owner_read);
    int dump = GetParam();
    while (!fs::exists(kDumps / fmt::format("v{}.sql", dump))) PENSTOCK_CHECK(--dump > 0);
    auto database = OpenFile();
    const std::string script = TextOf(kDumps / fmt::format("v{}.sql", dump));
    PENSTOCK_CHECK(database->Script(script.c_str()).has_value());
    PENSTOCK_CHECK(
        Migrate(*database, Migrations().first(static_cast<size_t>(GetParam()))).has_value());
    columns_ = ColumnsOf(*database);
    rows_ = RowsOf(*database, columns_);
    PENSTOCK_CHECK(rows_.size() > 10);
  }

  std::unique_ptr<Sqlite> OpenFile(const char* name = "catalog.sqlite") {
    auto opened = Sqlite::Open(data_dir_ / name);
    PENSTOCK_CHECK(opened.has_value());
    return *std::move(opened);
  }
  Result<std::unique_ptr<Catalog>> Open() {
    return Catalog::Open({.data_dir = data_dir_, .secret_key_file = {}, .clock = &clock_});
  }
  std::string CopyName() const { return fmt::format("catalog.sqlite.v{}", GetParam()); }

  TemporaryFolder folder_;
  const fs::path data_dir_ = folder_.path() / "data";
  FixedClock clock_;
  Columns columns_;
  std::vector<std::string> rows_;
};

TEST_P(UpgradeTest, EveryValueStays) {
  ASSERT_TRUE(Open().has_value());
  const auto upgraded = OpenFile();
  EXPECT_EQ(**upgraded->QueryInt("PRAGMA user_version"), static_cast<int64_t>(Migrations().size()));
  EXPECT_EQ(RowsOf(*upgraded, columns_), rows_);
  EXPECT_THAT(Names(*upgraded, "SELECT * FROM pragma_foreign_key_check"), IsEmpty());
  EXPECT_THAT(Names(*upgraded, "PRAGMA integrity_check"), ElementsAre("ok"));
}

TEST_P(UpgradeTest, AllOfItCanBeRead) {
  const auto opened = Open();
  ASSERT_TRUE(opened) << opened.error().ToString();
  Catalog& catalog = **opened;
  EXPECT_EQ(catalog.service_id(), "22222222-2222-4222-8222-222222222222");
  const auto pipes = catalog.Pipes();
  ASSERT_TRUE(pipes) << pipes.error().ToString();
  ASSERT_THAT(*pipes, SizeIs(2));
  const auto tables = catalog.Tables("p-1");
  ASSERT_TRUE(tables) << tables.error().ToString();
  ASSERT_THAT(*tables, SizeIs(2));
  EXPECT_EQ(tables->front().definition.columns[1].name, "größe");
  EXPECT_EQ(tables->back().quarantine.has_value(), GetParam() >= 4);
  EXPECT_THAT(*catalog.Partitions("p-1"), SizeIs(3));
  EXPECT_THAT(*catalog.Transitions("p-1", 100), SizeIs(2));
  EXPECT_THAT(*catalog.Events("p-1", 9), SizeIs(1));
  EXPECT_THAT(*catalog.ValueChanges("p-1"), SizeIs(GetParam() >= 2 ? 1 : 0));
  EXPECT_THAT(*catalog.Inserts("p-1"), SizeIs(GetParam() >= 8 ? 1 : 0));
  EXPECT_THAT(*catalog.Removals("p-1"), SizeIs(GetParam() >= 12 ? 1 : 0));
  const auto checkpoint = catalog.LoadCheckpoint("p-1");
  ASSERT_TRUE(checkpoint) << checkpoint.error().ToString();
  EXPECT_EQ(checkpoint->position.mariadb.ToString(), "0-1-100");
  EXPECT_EQ(checkpoint->versions_reserved_end, uint64_t{1} << 33);
  EXPECT_EQ(checkpoint->open.tables.size(), GetParam() >= 6 ? 1U : 0U);
  EXPECT_EQ(checkpoint->prepared.size(), GetParam() >= 7 ? 1U : 0U);
  EXPECT_EQ(checkpoint->sent.has_value(), GetParam() >= 10);
}

TEST_P(UpgradeTest, ACopyOfTheOldFileIsKept) {
  ASSERT_TRUE(Open().has_value());
  const auto copy = OpenFile(CopyName().c_str());
  EXPECT_EQ(**copy->QueryInt("PRAGMA user_version"), GetParam());
  EXPECT_EQ(ColumnsOf(*copy), columns_);
  EXPECT_EQ(RowsOf(*copy, columns_), rows_);
  struct stat info {};
  ASSERT_EQ(::stat((data_dir_ / CopyName()).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
}

// As when the upgrade was interrupted, or is done again after the copy was put back.
TEST_P(UpgradeTest, ACopyThatIsThereIsReplaced) {
  std::ofstream(data_dir_ / CopyName()) << "half a copy";
  std::ofstream(data_dir_ / (CopyName() + ".part")) << "half a copy";
  ASSERT_TRUE(Open().has_value());
  EXPECT_EQ(RowsOf(*OpenFile(CopyName().c_str()), columns_), rows_);
  EXPECT_FALSE(fs::exists(data_dir_ / (CopyName() + ".part")));
}

INSTANTIATE_TEST_SUITE_P(Versions, UpgradeTest,
                         testing::Range(1, static_cast<int>(Migrations().size())));

// Without a copy nothing is upgraded.
TEST(UpgradeWithoutACopyTest, IsNotDone) {
  TemporaryFolder folder;
  const fs::path file = folder.path() / "file";
  const auto database = *Sqlite::Open(file);
  const std::array<const char*, 2> both = {"CREATE TABLE t (a);", "CREATE TABLE u (a);"};
  ASSERT_TRUE(Migrate(*database, std::span(both).first(1)));
  fs::create_directories(folder.path() / "file.v1.part" / "full");
  EXPECT_FALSE(Upgrade(*database, file, both));
  EXPECT_EQ(**database->QueryInt("PRAGMA user_version"), 1);
}

TEST(UpgradeOfTheNewestTest, MakesNoCopy) {
  TemporaryFolder folder;
  const fs::path file = folder.path() / "file";
  const auto database = *Sqlite::Open(file);
  ASSERT_TRUE(Upgrade(*database, file));
  ASSERT_TRUE(Upgrade(*database, file));
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    EXPECT_EQ(entry.path().string().find(".v"), std::string::npos) << entry.path();
  }
}

}  // namespace
}  // namespace penstock::catalog
