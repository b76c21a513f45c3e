#include "pipe/journal.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/random.h"

namespace penstock::pipe {
namespace {

using std::chrono::milliseconds;

// Time that moves only when it is told to.
class ManualClock final : public Clock {
 public:
  SteadyTime Steady() const override { return SteadyTime(now); }
  UnixMicros Wall() const override { return now; }
  bool Wait(milliseconds, std::stop_token) override { return true; }

  std::chrono::microseconds now = std::chrono::hours(1);
};

class JournalTest : public testing::Test {
 protected:
  JournalTest()
      : folder_(std::filesystem::temp_directory_path() / ("penstock-journal-" + RandomUuid())) {
    Open();
    catalog::PipeRecord pipe{.id = "p",
                             .name = "shop",
                             .spec = "{}",
                             .state = "Setup",
                             .resume_state = "",
                             .reason = "",
                             .state_since = {},
                             .created_at = {},
                             .updated_at = {}};
    EXPECT_TRUE(catalog_->CreatePipe(pipe));
    catalog::Checkpoint start;
    start.position.file = "bin.000001";
    start.position.offset = 4;
    start.versions_reserved_end = 1000;
    std::vector<catalog::TableRecord> tables(1);
    tables[0].definition.name = {"shop", "orders"};
    tables[0].target = "orders";
    EXPECT_TRUE(catalog_->FinishSetup(
        "p", tables, start,
        {.from = "Setup", .to = "Snapshot", .resume_state = "Snapshot", .reason = "", .at = {}}));
  }
  ~JournalTest() override {
    catalog_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Open() {
    catalog_.reset();
    auto opened =
        catalog::Catalog::Open({.data_dir = folder_, .secret_key_file = {}, .clock = &clock_});
    ASSERT_TRUE(opened) << opened.error().ToString();
    catalog_ = *std::move(opened);
  }
  // As the runner makes it when it starts.
  std::unique_ptr<Journal> NewJournal(StreamProgress before = {}) {
    const auto checkpoint = *catalog_->LoadCheckpoint("p");
    const auto batches = *catalog_->Batches("p", 1);
    const auto tables = *catalog_->Tables("p");
    return std::make_unique<Journal>(
        Journal::Options{.catalog = catalog_.get(),
                         .clock = &clock_,
                         .pipe_id = "p",
                         .checkpoint = checkpoint,
                         .last_batch_number = batches.empty() ? 0 : batches[0].number,
                         .tables = tables,
                         .changes = *catalog_->ValueChanges("p"),
                         .before = std::move(before)});
  }
  stream::Acknowledged Batch(uint64_t offset, uint64_t rows) {
    stream::Acknowledged batch;
    batch.end.file = "bin.000001";
    batch.end.offset = offset;
    batch.rows = rows;
    if (rows != 0)
      batch.tables.push_back(
          {.table = 0, .counts = {.inserted = rows, .updated = 0, .deleted = 0}});
    batch.last_commit = clock_.now - milliseconds(200);
    batch.started_at = clock_.now - milliseconds(50);
    batch.finished_at = clock_.now;
    return batch;
  }

  const std::filesystem::path folder_;
  ManualClock clock_;
  std::unique_ptr<catalog::Catalog> catalog_;
};

TEST_F(JournalTest, VersionsAreNeverGivenTwiceAlsoAfterARestart) {
  uint64_t end = 1000;
  for (int restart = 0; restart < 3; ++restart) {
    const auto journal = NewJournal();
    for (int i = 0; i < 2; ++i) {
      const auto range = journal->ReserveVersions();
      ASSERT_TRUE(range);
      EXPECT_GE(range->begin, end);
      EXPECT_GT(range->end, range->begin);
      end = range->end;
    }
    Open();
  }
}

TEST_F(JournalTest, VersionsStartAboveThoseOfTheDestination) {
  const auto journal = NewJournal();
  journal->RaiseVersions(500);
  EXPECT_EQ(journal->ReserveVersions()->begin, 1000);
  const uint64_t higher = uint64_t{1} << 40;
  journal->RaiseVersions(higher);
  EXPECT_EQ(journal->ReserveVersions()->begin, higher);
}

TEST_F(JournalTest, AcknowledgeMovesTheCheckpointAndKeepsTheReservation) {
  auto journal = NewJournal();
  const auto range = journal->ReserveVersions();
  ASSERT_TRUE(journal->Acknowledge(Batch(100, 3)));
  ASSERT_TRUE(journal->Acknowledge(Batch(200, 0)));
  journal.reset();
  Open();
  const auto checkpoint = catalog_->LoadCheckpoint("p");
  EXPECT_EQ(checkpoint->position.offset, 200);
  EXPECT_EQ(checkpoint->versions_reserved_end, range->end);
  const auto batches = catalog_->Batches("p", 10);
  ASSERT_EQ(batches->size(), 1);
  EXPECT_EQ((*batches)[0].rows, 3);
}

TEST_F(JournalTest, ADefinitionIsStoredWithItsPlace) {
  auto journal = NewJournal();
  auto batch = Batch(100, 0);
  batch.added = stream::AddedColumns{
      .table = 0,
      .before = {},
      .start = batch.end,
      .definition = {.name = {"shop", "orders"}, .engine = "InnoDB", .columns = {}, .key = {}},
      .columns = {{.column = {.name = "c", .type = "Int8"}, .after = ""}}};
  ASSERT_TRUE(journal->Acknowledge(batch));
  const std::string ddl = journal->progress().tables[0].ddl;
  EXPECT_NE(ddl.find("`orders` ADD COLUMN IF NOT EXISTS `c` Int8 FIRST"), ddl.npos) << ddl;
  EXPECT_EQ(catalog_->Tables("p")->at(0).definition.engine, "InnoDB");
  EXPECT_EQ(catalog_->Tables("p")->at(0).start, batch.end);
  EXPECT_EQ(catalog_->Tables("p")->at(0).ddl, ddl);
  EXPECT_EQ(catalog_->Events("p", 1)->at(0).kind, "ddl");
}

TEST_F(JournalTest, BatchNumbersGoOnAfterARestart) {
  ASSERT_TRUE(NewJournal()->Acknowledge(Batch(100, 3)));
  Open();
  ASSERT_TRUE(NewJournal()->Acknowledge(Batch(200, 4)));
  const auto batches = catalog_->Batches("p", 1);
  ASSERT_EQ(batches->size(), 1);
  EXPECT_EQ((*batches)[0].number, 2);
}

TEST_F(JournalTest, RowsGoOnFromTheJournalBefore) {
  const auto first = NewJournal();
  ASSERT_TRUE(first->Acknowledge(Batch(100, 3)));
  const auto second = NewJournal(first->progress());
  ASSERT_TRUE(second->Acknowledge(Batch(200, 4)));
  EXPECT_EQ(second->progress().rows, 7);
  EXPECT_EQ(second->progress().tables[0].counts.inserted, 7);
}

TEST_F(JournalTest, LagGrowsWhileNothingIsHeardOfTheStream) {
  const auto journal = NewJournal();
  EXPECT_FALSE(journal->progress().lag);
  ASSERT_TRUE(journal->Acknowledge(Batch(100, 3)));
  EXPECT_EQ(journal->progress().lag, milliseconds(200));
  clock_.now += milliseconds(60'000);
  EXPECT_EQ(journal->progress().lag, milliseconds(60'200));
  journal->CaughtUp();
  EXPECT_EQ(journal->progress().lag, milliseconds(0));
  EXPECT_EQ(journal->progress().rows, 3);
  EXPECT_EQ(journal->progress().tables[0].counts.inserted, 3);
}

TEST_F(JournalTest, TellsWithoutItsTablesWhatNeedsAttention) {
  const auto journal = NewJournal();
  EXPECT_TRUE(journal->quarantined().empty());
  auto acknowledged = Batch(100, 3);
  acknowledged.fences.push_back({.table = 0, .position = acknowledged.end, .error = {}});
  ASSERT_TRUE(journal->Acknowledge(acknowledged));
  clock_.now += milliseconds(60'000);
  EXPECT_EQ(journal->summary().lag, journal->progress().lag);
  EXPECT_EQ(journal->summary().last_batch_age, milliseconds(60'000));
  EXPECT_EQ(journal->quarantined(), std::set<size_t>{0});
  EXPECT_EQ(NewJournal()->quarantined(), std::set<size_t>{0});
}

}  // namespace
}  // namespace penstock::pipe
