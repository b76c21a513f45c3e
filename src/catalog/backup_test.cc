#include "catalog/backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "catalog/catalog_for_test.h"

namespace penstock::catalog {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class BackupTest : public testing::Test {
 protected:
  std::unique_ptr<Catalog> Open(const fs::path& data_dir) {
    auto opened = Catalog::Open(
        {.data_dir = data_dir, .secret_key_file = data_dir_ / "secret.key", .clock = &clock_});
    EXPECT_TRUE(opened) << opened.error().ToString();
    return opened ? *std::move(opened) : nullptr;
  }
  Result<BackupReport> Back(std::vector<std::string> others = {}) {
    return BackUp(
        {.data_dir = data_dir_, .file = file_, .other_files = std::move(others), .clock = &clock_});
  }
  // By the system's tar.
  void Restore() {
    fs::create_directory(restored_);
    fs::permissions(restored_, fs::perms::owner_all);
    const std::string command =
        fmt::format("tar -xf '{}' -C '{}'", file_.string(), restored_.string());
    ASSERT_EQ(std::system(command.c_str()), 0);  // NOLINT: the test's own words
  }
  void Put(const std::string& name, const std::string& text) {
    fs::create_directories((data_dir_ / name).parent_path());
    std::ofstream(data_dir_ / name, std::ios::binary) << text;
  }
  static std::string Read(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  // With an XA transaction that is held in such a file.
  static Checkpoint Holding(const std::string& file) {
    Checkpoint checkpoint = SomeCheckpoint();
    checkpoint.prepared = {{.xid = "X'61',X'',1", .file = file, .bytes = 3, .tables = {}}};
    return checkpoint;
  }
  std::unique_ptr<Catalog> WithAPipe() {
    auto catalog = Open(data_dir_);
    EXPECT_TRUE(catalog->CreatePipe(SomePipe("a")));
    std::vector<TableRecord> tables = {SomeTable("t")};
    EXPECT_TRUE(catalog->FinishSetup("a", tables, SomeCheckpoint(), ToSnapshot()));
    return catalog;
  }

  TemporaryFolder folder_;
  const fs::path data_dir_ = folder_.path() / "data";
  const fs::path restored_ = folder_.path() / "restored";
  const fs::path file_ = folder_.path() / "backup.tar";
  FixedClock clock_;
};

TEST_F(BackupTest, HoldsWhatTheCatalogHolds) {
  const auto catalog = WithAPipe();
  Put("api-keys.json", std::string(1500, 'k'));
  Put("prepared/a/1", "abc");
  ASSERT_TRUE(catalog->SaveCheckpoint("a", Holding("1"), {}));
  const auto report = Back({"api-keys.json", "absent"});
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->pipes, 1U);
  EXPECT_THAT(report->files, ElementsAre("catalog.sqlite", "prepared/a/1", "api-keys.json"));
  EXPECT_EQ(report->bytes, fs::file_size(file_));
  Restore();
  EXPECT_EQ(Read(restored_ / "api-keys.json"), std::string(1500, 'k'));
  EXPECT_EQ(Read(restored_ / "prepared/a/1"), "abc");
  const auto restored = Open(restored_);
  ASSERT_TRUE(restored);
  EXPECT_EQ(restored->service_id(), catalog->service_id());
  EXPECT_EQ(Describe(restored->Pipes()->front()), Describe(catalog->Pipes()->front()));
  EXPECT_EQ(restored->LoadCheckpoint("a")->prepared, Holding("1").prepared);
}

TEST_F(BackupTest, IsOfOneMomentWhileOthersWrite) {
  const auto catalog = WithAPipe();
  std::jthread writer([&](const std::stop_token& stop) {
    for (uint64_t n = 1; !stop.stop_requested(); ++n) {
      CheckpointNews news;
      news.events = {{.at = kTestTime, .level = "info", .kind = "n", .text = std::to_string(n)}};
      EXPECT_TRUE(catalog->SaveCheckpoint("a", SomeCheckpoint(n), news));
    }
  });
  for (int i = 0; i < 20; ++i) {
    fs::remove(file_);
    fs::remove_all(restored_);
    ASSERT_TRUE(Back());
    Restore();
    const auto restored = Open(restored_);
    // The first is that of the restore.
    const auto events = *restored->Events("a", 2);
    const bool any = events.back().kind == "n";
    EXPECT_EQ(restored->LoadCheckpoint("a")->position.offset,
              any ? std::stoull(events.back().text) : SomeCheckpoint().position.offset);
  }
}

TEST_F(BackupTest, TellsOfTheRestoreOnce) {
  WithAPipe();
  ASSERT_TRUE(Back());
  Restore();
  for (int i = 0; i < 2; ++i) {
    const auto events = *Open(restored_)->Events("a", 1);
    ASSERT_THAT(events, SizeIs(1));
    EXPECT_EQ(events[0].kind, "restore");
    EXPECT_THAT(events[0].text, HasSubstr("a backup of 2023-11-14T22:13:20"));
    EXPECT_THAT(*Open(restored_)->Events("a", 9),
                SizeIs(Open(data_dir_)->Events("a", 9)->size() + 1));
  }
}

TEST_F(BackupTest, NobodyElseMayReadIt) {
  WithAPipe();
  ASSERT_TRUE(Back());
  struct stat info {};
  ASSERT_EQ(::stat(file_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
}

TEST_F(BackupTest, LeavesNothingBehind) {
  WithAPipe();
  ASSERT_TRUE(Back());
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder_.path())) {
    names.push_back(entry.path().filename());
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("data", "backup.tar"));
}

TEST_F(BackupTest, AFileThatIsMissingIsAnError) {
  const auto catalog = WithAPipe();
  ASSERT_TRUE(catalog->SaveCheckpoint("a", Holding("1"), {}));
  const auto report = Back();
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("XA transactions"));
  EXPECT_FALSE(fs::exists(file_));
}

TEST_F(BackupTest, AFileThatExistsIsLeftAsItIs) {
  WithAPipe();
  std::ofstream(file_) << "an older one";
  EXPECT_EQ(Back().error().code, ErrorCode::kConflict);
  EXPECT_EQ(Read(file_), "an older one");
}

TEST_F(BackupTest, AFolderWithoutACatalogIsRefused) {
  fs::create_directory(data_dir_);
  const auto report = Back();
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().ToString(), HasSubstr("--data-dir"));
  EXPECT_THAT(fs::directory_iterator(data_dir_) == fs::directory_iterator(), true);
  EXPECT_FALSE(fs::exists(file_));
}

}  // namespace
}  // namespace penstock::catalog
