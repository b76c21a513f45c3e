#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "stream/assembler_for_test.h"

namespace penstock::stream {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class XaTest : public AssemblerTest {
 protected:
  XaTest() : folder_(fs::temp_directory_path() / ("penstock-xa-" + RandomUuid())) { Restart({}); }
  ~XaTest() override { fs::remove_all(folder_); }

  // As the next process begins, which reads the log after `batch`.
  void Restart(const Batch& batch) {
    Follow({TableOf("a"), TableOf("b")}, batch.open, batch.prepared, folder_);
  }
  Batch Take() {
    EXPECT_TRUE(assembler_->SecurePrepared());
    return assembler_->TakeBatch();
  }
  Status XaStart(uint64_t gtid) {
    PENSTOCK_TRY(Gtid(gtid));
    PENSTOCK_TRY(Sql("XA START X'61',X'',1"));
    return Map(7, "a");
  }
  Status XaPrepare(bool one_phase = false) {
    PENSTOCK_TRY(Sql("XA END X'61',X'',1"));
    return Feed(binlog::XaPrepare{.one_phase = one_phase});
  }
  // Of row 1=10 of `a`.
  Status Prepared(uint64_t gtid) {
    PENSTOCK_TRY(XaStart(gtid));
    PENSTOCK_TRY(Rows(RowsKind::kInsert, 7, {{1, 10}}));
    return XaPrepare();
  }
  Status XaEnds(uint64_t gtid, std::string_view how) {
    PENSTOCK_TRY(Gtid(gtid));
    PENSTOCK_TRY(Sql(fmt::format("XA {} X'61',X'',1", how)));
    return Replay();
  }
  Status Replay() {
    while (assembler_->replaying()) PENSTOCK_TRY(assembler_->Replay());
    return {};
  }
  std::vector<std::string> FilesOf(const Batch& batch) {
    std::vector<std::string> files;
    for (const auto& one : batch.prepared) files.push_back(one.file);
    return files;
  }

  const fs::path folder_;
};

// In the order of commits, not of changes.
TEST_F(XaTest, RowsComeWithXaCommit) {
  ASSERT_TRUE(Prepared(1));
  EXPECT_EQ(Executed(), fmt::format("{}:1", kUuid));
  EXPECT_EQ(assembler_->rows(), 0U);
  ASSERT_TRUE(Begin(2));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{2, 20}}));
  ASSERT_TRUE(Commit());
  ASSERT_TRUE(XaEnds(3, "COMMIT"));
  const Batch batch = Take();
  EXPECT_THAT(RowsOf(batch, 0), ElementsAre("2=20", "1=10"));
  EXPECT_THAT(VersionsOf(batch), ElementsAre(1000, 1001));
  EXPECT_EQ(batch.end.mysql.ToString(), fmt::format("{}:1-3", kUuid));
  EXPECT_THAT(batch.prepared, IsEmpty());
  EXPECT_FALSE(fs::exists(folder_)) << "nothing of it needs to outlive the process";
}

TEST_F(XaTest, RowsNeverComeAfterXaRollback) {
  ASSERT_TRUE(Prepared(1));
  const Batch prepared = Take();
  for (const bool restarted : {false, true}) {
    if (restarted) Restart(prepared);
    ASSERT_TRUE(XaEnds(2, "ROLLBACK"));
    const Batch batch = Take();
    EXPECT_THAT(batch.tables, IsEmpty());
    EXPECT_THAT(batch.prepared, IsEmpty());
    EXPECT_EQ(batch.ended_files, FilesOf(prepared));
    EXPECT_THAT(batch.notices, IsEmpty());
  }
}

TEST_F(XaTest, OnePhaseIsAnOrdinaryCommit) {
  ASSERT_TRUE(XaStart(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
  ASSERT_TRUE(XaPrepare(/*one_phase=*/true));
  ASSERT_TRUE(Replay());
  const Batch batch = Take();
  EXPECT_THAT(RowsOf(batch, 0), ElementsAre("1=10"));
  EXPECT_THAT(batch.prepared, IsEmpty());
  EXPECT_EQ(Executed(), fmt::format("{}:1", kUuid));
}

TEST_F(XaTest, WhatIsPreparedOutlivesTheProcess) {
  ASSERT_TRUE(Prepared(1));
  const Batch batch = Take();
  ASSERT_EQ(batch.prepared.size(), 1U);
  EXPECT_THAT(batch.tables, IsEmpty());
  for (int attempt = 0; attempt < 2; ++attempt) {  // the first dies before its checkpoint
    Restart(batch);
    ASSERT_TRUE(XaEnds(2, "COMMIT"));
    EXPECT_THAT(RowsOf(Take(), 0), ElementsAre("1=10"));
  }
}

// A process dies when part of what was prepared is written.
TEST_F(XaTest, ALargeOneIsReplayedInPieces) {
  ASSERT_TRUE(XaStart(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{2, 20}}));
  ASSERT_TRUE(XaPrepare());
  ASSERT_TRUE(Gtid(2));
  ASSERT_TRUE(Sql("XA COMMIT X'61',X'',1"));
  while (assembler_->rows() == 0) ASSERT_TRUE(assembler_->Replay());
  const Batch piece = Take();
  EXPECT_THAT(RowsOf(piece, 0), ElementsAre("1=10"));
  EXPECT_EQ(piece.open.gtid, fmt::format("{}:2", kUuid));
  EXPECT_EQ(piece.prepared.size(), 1U) << "its rest is needed";
  EXPECT_THAT(piece.ended_files, IsEmpty());
  for (const bool restarted : {false, true}) {
    if (restarted) {
      Restart(piece);
      ASSERT_TRUE(XaEnds(2, "COMMIT"));
    }
    ASSERT_TRUE(Replay());
    const Batch rest = Take();
    EXPECT_THAT(RowsOf(rest, 0), ElementsAre("2=20")) << restarted;
    EXPECT_THAT(rest.prepared, IsEmpty());
    EXPECT_EQ(rest.ended_files, FilesOf(piece));
  }
}

TEST_F(XaTest, SavepointsWithin) {
  ASSERT_TRUE(XaStart(1));
  ASSERT_TRUE(Sql("SAVEPOINT `s`"));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
  ASSERT_TRUE(Sql("ROLLBACK TO `s`"));
  ASSERT_TRUE(Map(7, "a"));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{2, 20}}));
  ASSERT_TRUE(XaPrepare());
  ASSERT_TRUE(XaEnds(2, "COMMIT"));
  EXPECT_THAT(RowsOf(Take(), 0), ElementsAre("2=20"));
}

TEST_F(XaTest, ASavepointThatIsNotInTheLogResyncsTheTables) {
  ASSERT_TRUE(XaStart(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
  ASSERT_TRUE(Sql("ROLLBACK TO `s`"));
  EXPECT_THAT(TakeFences(), ElementsAre("shop.a before "));
  EXPECT_EQ(heals_, Heals::kByResync);
}

TEST_F(XaTest, AFileThatIsGoneResyncsItsTables) {
  ASSERT_TRUE(Prepared(1));
  const Batch batch = Take();
  fs::remove_all(folder_);
  Restart(batch);
  ASSERT_TRUE(XaEnds(2, "COMMIT"));
  EXPECT_EQ(Executed(), fmt::format("{}:2", kUuid));
  EXPECT_THAT(TakeFences(), ElementsAre("shop.a before "));
  EXPECT_EQ(heals_, Heals::kByResync);
}

// It had been prepared before the log that the pipe reads.
TEST_F(XaTest, ACommitOfAnUnknownOneIsTold) {
  ASSERT_TRUE(XaEnds(1, "COMMIT"));
  EXPECT_EQ(Executed(), fmt::format("{}:1", kUuid));
  EXPECT_THAT(Take().notices, ElementsAre(HasSubstr("X'61',X'',1")));
  ASSERT_TRUE(Gtid(2));
  ASSERT_TRUE(Sql("XA START X'61',X'',1"));
  ASSERT_TRUE(Map(9, "elsewhere"));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 9, {{1, 10}}));
  ASSERT_TRUE(XaPrepare());
  Restart(Take());
  ASSERT_TRUE(XaEnds(3, "COMMIT"));
  EXPECT_THAT(Take().notices, IsEmpty()) << "known, and of other tables";
}

TEST_F(XaTest, AnOpenOneIsForgottenWithItsSession) {
  ASSERT_TRUE(XaStart(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
  assembler_->Reconnect();
  ASSERT_TRUE(Prepared(1));
  ASSERT_TRUE(XaEnds(2, "COMMIT"));
  EXPECT_THAT(RowsOf(Take(), 0), ElementsAre("1=10"));
}

TEST_F(XaTest, RowsBeforeATruncateAreNotReplayed) {
  ASSERT_TRUE(Prepared(1));
  ASSERT_TRUE(Gtid(2));
  ASSERT_TRUE(Sql("TRUNCATE TABLE a"));
  Restart(Take());
  ASSERT_TRUE(XaEnds(3, "COMMIT"));
  EXPECT_THAT(Take().tables, IsEmpty());
}

// Those of a table that is quarantined too: its resync begins at a position before XA COMMIT.
TEST_F(XaTest, ATableIsResyncedBetweenPrepareAndCommit) {
  assembler_->FenceTable(0, {.code = ErrorCode::kNeedsUser, .message = "why"});
  ASSERT_TRUE(Prepared(1));
  const Batch batch = Take();
  for (const bool before : {true, false}) {
    StreamTable table = TableOf("a");
    table.start = model::Position{
        .mechanism = model::Mechanism::kMysqlGtid,
        .file = "bin.000001",
        .offset = 0,
        .file_mark = 0,
        .server = {},
        .mysql = *model::MysqlGtidSet::Parse(fmt::format("{}:1-{}", kUuid, before ? 1 : 2)),
        .mariadb = {}};
    Follow({table}, {}, batch.prepared, folder_);
    ASSERT_TRUE(XaEnds(2, "COMMIT"));
    const auto rows = RowsOf(Take(), 0);
    EXPECT_EQ(rows, before ? std::vector<std::string>{"1=10"} : std::vector<std::string>());
  }
}

// It may have changed any of the tables that are read again.
TEST_F(XaTest, ACommitOfAnUnknownOneFencesWhatIsRetried) {
  StreamTable later = TableOf("b");
  later.start = assembler_->position();
  later.start->mysql = model::MysqlGtidSet::Parse("00000000-0000-0000-0000-000000000001:1").value();
  Follow({TableOf("a"), later}, {}, {}, folder_, model::Mechanism::kMysqlGtid,
         /*prepared_unknown=*/true);
  ASSERT_TRUE(XaEnds(1, "COMMIT"));
  const Batch batch = Take();
  EXPECT_THAT(batch.notices, IsEmpty());
  ASSERT_EQ(batch.fences.size(), 1U) << "b has it already";
  EXPECT_EQ(batch.fences[0].table, 0U);
  EXPECT_EQ(batch.fences[0].heals, Heals::kByResync);
}

// MariaDB's GTID event says it all.
TEST_F(XaTest, MariaDbBeginsWithoutAStatement) {
  ASSERT_TRUE(Feed(binlog::MariadbGtidEvent{.gtid = {.domain = 0, .server = 1, .sequence = 1},
                                            .standalone = false,
                                            .prepared_xa = true}));
  ASSERT_TRUE(Map(7, "a"));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
  ASSERT_TRUE(XaPrepare());
  EXPECT_EQ(assembler_->rows(), 0U);
  ASSERT_TRUE(Feed(binlog::MariadbGtidEvent{.gtid = {.domain = 0, .server = 1, .sequence = 2},
                                            .standalone = true,
                                            .prepared_xa = false}));
  ASSERT_TRUE(Sql("XA COMMIT X'61',X'',1"));
  ASSERT_TRUE(Replay());
  EXPECT_THAT(RowsOf(Take(), 0), ElementsAre("1=10"));
  EXPECT_EQ(assembler_->position().mariadb.ToString(), "0-1-2");
}

}  // namespace
}  // namespace penstock::stream
