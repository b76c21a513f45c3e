#include <functional>

#include "stream/assembler_for_test.h"

namespace penstock::stream {
namespace {

using binlog::RowsKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// MariaDB writes 0 as the end of events inside of a transaction; those of a compressed one (MySQL)
// all end where it does.
TEST_F(AssemblerTest, EventsWithoutAPlaceOfTheirOwn) {
  const uint64_t start = assembler_->position().offset;
  ASSERT_TRUE(Begin(1));
  const uint32_t begun = end_offset_;
  end_offset_ = 0U - 100;
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 1}}));
  EXPECT_EQ(assembler_->TakeBatch().end.offset, start);
  end_offset_ = begun + 300;
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{2, 2}}));
  const Batch part = assembler_->TakeBatch();
  EXPECT_EQ(part.end.offset, start);
  EXPECT_EQ(part.read_to.offset, begun + 400U);
  end_offset_ = begun + 300;
  ASSERT_TRUE(Commit());
  EXPECT_EQ(assembler_->position().offset, begun + 400U);
}

TEST_F(AssemblerTest, WhatCannotBeReadStopsTheStreamByName) {
  ASSERT_TRUE(Gtid(1));
  const Status incident = Feed(binlog::Incident{.message = "LOST_EVENTS"});
  ASSERT_FALSE(incident);
  EXPECT_EQ(incident.error().code, ErrorCode::kNeedsUser);
  EXPECT_THAT(incident.error().message, HasSubstr("may miss changes: LOST_EVENTS"));
  EXPECT_THAT(incident.error().remedy, HasSubstr("resync"));
  const Status unknown = Feed(binlog::Unknown{.type = 250});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::kNeedsUser);
  EXPECT_THAT(unknown.error().message, HasSubstr("event type 250"));
}

TEST_F(AssemblerTest, InsertUpdateDeleteOfOneTransaction) {
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}, {2, 20}}));
  ASSERT_TRUE(Rows(RowsKind::kUpdate, 7, {{1, 10}, {1, 11}}));
  ASSERT_TRUE(Rows(RowsKind::kDelete, 7, {{2, 20}}));
  EXPECT_EQ(Executed(), "");
  ASSERT_TRUE(Commit());
  EXPECT_EQ(Executed(), fmt::format("{}:1", kUuid));
  const Batch batch = assembler_->TakeBatch();
  EXPECT_THAT(RowsOf(batch, 0), ElementsAre("1=10", "2=20", "1=11", "-2=20"));
  EXPECT_THAT(VersionsOf(batch), ElementsAre(1000, 1001, 1002, 1003));
  EXPECT_EQ(batch.rows, 4);
  EXPECT_EQ(batch.tables[0].counts.inserted, 2);
  EXPECT_EQ(batch.tables[0].counts.updated, 1);
  EXPECT_EQ(batch.tables[0].counts.deleted, 1);
  EXPECT_EQ(batch.end, assembler_->position());
  EXPECT_EQ(assembler_->rows(), 0);
}

TEST_F(AssemblerTest, KeyChangeDeletesTheOldKey) {
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Rows(RowsKind::kUpdate, 7, {{1, 10}, {5, 10}}));
  ASSERT_TRUE(Commit());
  EXPECT_THAT(RowsOf(assembler_->TakeBatch(), 0), ElementsAre("-1=10", "5=10"));
}

// An update makes rows equal to others that it has yet to change.
TEST_F(AssemblerTest, WithoutAKeyOldRowsGoBeforeTheNewOnesOfTheirStatement) {
  StreamTable keyless = TableOf("a");
  keyless.definition.key = {};
  keyless.target_options.whole_row_may_be_key = true;
  Follow({keyless});
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Rows(RowsKind::kUpdate, 7, {{1, 10}, {2, 10}, {2, 10}, {3, 10}}));
  ASSERT_TRUE(Rows(RowsKind::kUpdate, 7, {{3, 10}, {4, 10}}));
  ASSERT_TRUE(Commit());
  const Batch batch = assembler_->TakeBatch();
  EXPECT_THAT(RowsOf(batch, 0), ElementsAre("-1=10", "2=10", "-2=10", "3=10", "-3=10", "4=10"));
  const auto versions = VersionsOf(batch);
  EXPECT_EQ(versions[2], versions[0]);
  EXPECT_LT(versions[0], versions[1]);
  EXPECT_LT(versions[3], versions[4]);
  EXPECT_LT(versions[4], versions[5]);
}

TEST_F(AssemblerTest, RollbackTakesRowsBackAndMovesOn) {
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
  ASSERT_TRUE(Commit());
  ASSERT_TRUE(Begin(2));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{2, 20}}));
  ASSERT_TRUE(Map(8, "b"));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 8, {{3, 30}}));
  ASSERT_TRUE(Sql("ROLLBACK"));
  EXPECT_EQ(Executed(), fmt::format("{}:1-2", kUuid));
  const Batch batch = assembler_->TakeBatch();
  EXPECT_THAT(RowsOf(batch, 0), ElementsAre("1=10"));
  EXPECT_THAT(RowsOf(batch, 1), IsEmpty());
  EXPECT_EQ(batch.rows, 1);
}

TEST_F(AssemblerTest, SavepointsTakeBackWhatCameAfterThem) {
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
  ASSERT_TRUE(Sql("SAVEPOINT `s`"));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{2, 20}}));
  ASSERT_TRUE(Map(8, "b"));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 8, {{3, 30}}));
  ASSERT_TRUE(Sql("ROLLBACK TO `s`"));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{4, 40}}));
  ASSERT_TRUE(Sql("ROLLBACK TO `s`"));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 8, {{5, 50}}));
  ASSERT_TRUE(Commit());
  const Batch batch = assembler_->TakeBatch();
  EXPECT_THAT(RowsOf(batch, 0), ElementsAre("1=10"));
  EXPECT_THAT(RowsOf(batch, 1), ElementsAre("5=50"));
  EXPECT_EQ(batch.rows, 2);
}

TEST_F(AssemblerTest, TornTransactionIsForgotten) {
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
  ASSERT_TRUE(Feed(binlog::FormatDescription{.server_version = "9.7.0", .checksum = true}));
  EXPECT_FALSE(assembler_->in_transaction());
  EXPECT_EQ(Executed(), "");
  EXPECT_THAT(RowsOf(assembler_->TakeBatch(), 0), IsEmpty());
}

TEST_F(AssemblerTest, ReconnectForgetsTheOpenTransactionOnly) {
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
  ASSERT_TRUE(Commit());
  ASSERT_TRUE(Begin(2));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{2, 20}}));
  assembler_->Reconnect();
  EXPECT_THAT(RowsOf(assembler_->TakeBatch(), 0), ElementsAre("1=10"));
  // Table ids mean nothing in the next session until they are announced.
  ASSERT_TRUE(Gtid(2));
  ASSERT_TRUE(Sql("BEGIN"));
  EXPECT_FALSE(Rows(RowsKind::kInsert, 7, {{2, 20}}));
}

// What a failover must have is no more than what has left: not a transaction that only began.
TEST_F(AssemblerTest, ABatchIsReadToTheEndOfItsRows) {
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
  ASSERT_TRUE(Commit());
  ASSERT_TRUE(Gtid(2));
  EXPECT_EQ(assembler_->TakeBatch().read_to.mysql.ToString(), fmt::format("{}:1", kUuid));
  ASSERT_TRUE(Begin(2));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{2, 20}}));
  ASSERT_TRUE(Commit());
  ASSERT_TRUE(Begin(3));
  assembler_->Reconnect();
  const Batch batch = assembler_->TakeBatch();
  EXPECT_EQ(batch.read_to.mysql.ToString(), fmt::format("{}:1-2", kUuid));
  EXPECT_EQ(assembler_->Furthest().mysql, batch.read_to.mysql);
  ASSERT_TRUE(Begin(3));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{3, 30}}));
  EXPECT_EQ(assembler_->TakeBatch().read_to.mysql.ToString(), fmt::format("{}:1-3", kUuid));
  EXPECT_EQ(assembler_->Furthest().mysql.ToString(), fmt::format("{}:1-3", kUuid));
}

TEST_F(AssemblerTest, PieceOfALargeTransaction) {
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
  const Batch piece = assembler_->TakeBatch();
  EXPECT_THAT(RowsOf(piece, 0), ElementsAre("1=10"));
  EXPECT_EQ(piece.end.mysql.ToString(), "");
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{2, 20}}));
  ASSERT_TRUE(Commit());
  const Batch rest = assembler_->TakeBatch();
  EXPECT_THAT(RowsOf(rest, 0), ElementsAre("2=20"));
  EXPECT_EQ(rest.end.mysql.ToString(), fmt::format("{}:1", kUuid));
}

// Of a transaction read in part only the rest is read again: in the same process, and in the next.
TEST_F(AssemblerTest, WhatHasLeftOfATransactionIsPassedOver) {
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}, {2, 20}}));
  ASSERT_TRUE(Map(8, "b"));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 8, {{3, 30}}));
  const Batch piece = assembler_->TakeBatch();
  EXPECT_EQ(piece.open.gtid, fmt::format("{}:1", kUuid));
  ASSERT_EQ(piece.open.tables.size(), 2U);
  ASSERT_TRUE(Rows(RowsKind::kUpdate, 7, {{1, 10}, {1, 11}}));
  for (const bool restarted : {false, true}) {
    if (restarted) {
      Follow({TableOf("a"), TableOf("b")}, piece.open);
    } else {
      assembler_->Reconnect();
      EXPECT_EQ(assembler_->rows(), 0U);
    }
    ASSERT_TRUE(Begin(1));
    ASSERT_TRUE(Sql("SAVEPOINT s"));
    ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}, {2, 20}}));
    ASSERT_TRUE(Sql("ROLLBACK TO s")) << "of other tables: nothing of ours was taken back then";
    ASSERT_TRUE(Map(8, "b"));
    ASSERT_TRUE(Rows(RowsKind::kInsert, 8, {{3, 30}, {4, 40}}));
    ASSERT_TRUE(Rows(RowsKind::kUpdate, 7, {{1, 10}, {1, 11}}));
    ASSERT_TRUE(restarted ? Commit() : Status());
    const Batch rest = assembler_->TakeBatch();
    EXPECT_THAT(RowsOf(rest, 0), ElementsAre("1=11")) << restarted;
    EXPECT_THAT(RowsOf(rest, 1), ElementsAre("4=40")) << restarted;
    EXPECT_THAT(rest.fences, IsEmpty());
    EXPECT_EQ(rest.open.tables.empty(), restarted);
  }
  ASSERT_TRUE(Begin(2));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{5, 50}}));
  ASSERT_TRUE(Commit());
  EXPECT_THAT(RowsOf(assembler_->TakeBatch(), 0), ElementsAre("5=50"));
}

TEST_F(AssemblerTest, AnOpenTransactionStaysKnownUntilItIsMet) {
  const OpenTransaction open{.gtid = fmt::format("{}:1", kUuid),
                             .tables = {{.table = 0, .rows = 1}}};
  Follow({TableOf("a"), TableOf("b")}, open);
  assembler_->FenceTable(1, {.code = ErrorCode::kNeedsUser, .message = "why"});
  const Batch batch = assembler_->TakeBatch();
  EXPECT_EQ(batch.open.gtid, open.gtid);
  ASSERT_EQ(batch.open.tables.size(), 1U);
  EXPECT_EQ(batch.open.tables[0].rows, 1U);
}

TEST_F(AssemblerTest, AnOpenTransactionThatIsGoneFencesItsTables) {
  const OpenTransaction open{.gtid = fmt::format("{}:1", kUuid),
                             .tables = {{.table = 0, .rows = 1}}};
  Follow({TableOf("a"), TableOf("b")}, open);
  ASSERT_TRUE(Begin(2));
  EXPECT_THAT(TakeFences(), ElementsAre("shop.a before "));
  Follow({TableOf("a"), TableOf("b")}, open);
  ASSERT_TRUE(Gtid(2));
  ASSERT_TRUE(Sql("CREATE DATABASE elsewhere"));
  EXPECT_THAT(TakeFences(), ElementsAre("shop.a before "));
}

// Without GTIDs, a transaction of another file cannot be it.
TEST_F(AssemblerTest, AnOpenTransactionWithoutAGtidIsInItsFile) {
  for (const bool in_file : {true, false}) {
    Follow({TableOf("a"), TableOf("b")}, {.gtid = "", .tables = {{.table = 0, .rows = 1}}}, {}, {},
           model::Mechanism::kFile);
    ASSERT_TRUE(Feed(binlog::Rotate{.next_file = in_file ? "bin.000001" : "bin.000002"}));
    ASSERT_TRUE(Sql("BEGIN"));
    EXPECT_EQ(assembler_->TakeBatch().fences.empty(), in_file);
  }
}

TEST_F(AssemblerTest, AnOpenTransactionThatIsUndoneAfterAllFencesItsTables) {
  const OpenTransaction open{.gtid = fmt::format("{}:1", kUuid),
                             .tables = {{.table = 0, .rows = 2}}};
  Follow({TableOf("a"), TableOf("b")}, open);
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
  ASSERT_TRUE(Feed(binlog::FormatDescription{.server_version = "9.7.0", .checksum = true}));
  EXPECT_THAT(TakeFences(), ElementsAre("shop.a before "));
}

TEST_F(AssemblerTest, ASavepointAmongWrittenRowsCannotBeGoneBackTo) {
  const OpenTransaction open{.gtid = fmt::format("{}:1", kUuid),
                             .tables = {{.table = 0, .rows = 1}}};
  Follow({TableOf("a"), TableOf("b")}, open);
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Sql("SAVEPOINT s"));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
  ASSERT_TRUE(Sql("ROLLBACK TO s"));
  EXPECT_THAT(TakeFences(), ElementsAre("shop.a before "));
}

// Of a table that was found to hold more than the checkpoint says.
TEST_F(AssemblerTest, ATableMayStartInsideOfALaterTransaction) {
  StreamTable table = TableOf("a");
  model::Position start;
  start.mechanism = model::Mechanism::kMysqlGtid;
  start.mysql = *model::MysqlGtidSet::Parse(fmt::format("{}:1", kUuid));
  model::Position read_to = start;
  read_to.mysql = *model::MysqlGtidSet::Parse(fmt::format("{}:1-2", kUuid));
  table.start = start;
  table.start_part = {.read_to = read_to, .rows = 1};
  for (const bool is_there : {true, false}) {
    Follow({table, TableOf("b")});
    ASSERT_TRUE(Begin(1));
    ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
    ASSERT_TRUE(Commit());
    ASSERT_TRUE(Begin(is_there ? 2 : 3));
    ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{2, 20}, {3, 30}}));
    const Batch batch = assembler_->TakeBatch();
    if (is_there) {
      EXPECT_THAT(RowsOf(batch, 0), ElementsAre("3=30"));
      EXPECT_EQ(batch.open.tables.at(0).rows, 2U);
    } else {
      EXPECT_EQ(batch.fences.size(), 1U);
    }
  }
}

// Nothing is to be mended: a resync heals it.
TEST_F(AssemblerTest, UndoOfATransactionThatHasLeftFencesItsTables) {
  const std::pair<std::string_view, std::function<Status()>> ends[] = {
      {"ROLLBACK", [&] { return Sql("ROLLBACK"); }},
      {"an older savepoint", [&] { return Sql("ROLLBACK TO `s`"); }},
      {"a torn log", [&] { return Feed(binlog::FormatDescription{}); }},
      {"the next transaction", [&] { return Gtid(2); }}};
  for (const auto& [what, end] : ends) {
    SCOPED_TRACE(what);
    Follow({TableOf("a"), TableOf("b")});
    heals_ = Heals::kByUser;
    ASSERT_TRUE(Begin(1));
    ASSERT_TRUE(Sql("SAVEPOINT `s`"));
    ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
    assembler_->TakeBatch();
    ASSERT_TRUE(end());
    EXPECT_THAT(TakeFences(), ElementsAre("shop.a before "));
    EXPECT_EQ(heals_, Heals::kByResync);
  }
}

TEST_F(AssemblerTest, OtherTablesMoveThePositionOnly) {
  ASSERT_TRUE(Gtid(1));
  ASSERT_TRUE(Sql("BEGIN"));
  ASSERT_TRUE(Map(9, "elsewhere", 4));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 9, {{1, 10}}));
  ASSERT_TRUE(Commit());
  ASSERT_TRUE(Gtid(2));
  ASSERT_TRUE(Sql("ALTER TABLE elsewhere ADD x INT"));
  EXPECT_EQ(Executed(), fmt::format("{}:1-2", kUuid));
  EXPECT_THAT(assembler_->TakeBatch().tables, IsEmpty());
}

TEST_F(AssemblerTest, ACallInPlaceOfRowsStops) {
  const Status status = Sql("SELECT `other`.`f`(1)");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kNeedsUser);
  EXPECT_FALSE(status.error().remedy.empty());
}

TEST_F(AssemblerTest, WhatCannotBeFollowedFencesItsTable) {
  const std::pair<std::string_view, std::vector<std::string>> cases[] = {
      {"ALTER TABLE shop.a ADD x INT, DROP v", {"shop.a before "}},
      {"DROP TABLE b", {"shop.b before "}},
      {"DROP DATABASE shop", {"shop.a before ", "shop.b before "}},
      {"RENAME TABLE a TO c, b TO a", {"shop.a before ", "shop.b before "}},
      {"UPDATE a SET v = 1", {"shop.a before "}},
      {"ALTER TABLE a ADD INDEX (v)", {}},
      {"DROP INDEX v ON a", {}}};
  for (const auto& [sql, fences] : cases) {
    Follow({TableOf("a"), TableOf("b")});
    ASSERT_TRUE(Sql(sql)) << sql;
    EXPECT_EQ(assembler_->cut_due(), !fences.empty()) << sql;
    EXPECT_EQ(TakeFences(), fences) << sql;
  }
}

// Where one is known to be gone, a statement that makes it "if not exists" made it.
TEST_F(AssemblerTest, TablesThatAreMadeAgain) {
  StreamTable dropped = TableOf("b");
  dropped.quarantined = dropped.gone = true;
  const std::pair<std::vector<std::string_view>, size_t> cases[] = {
      {{"CREATE TABLE IF NOT EXISTS a (id INT)"}, 0},
      {{"ALTER TABLE a DROP v", "CREATE TABLE IF NOT EXISTS a (id INT)"}, 0},
      {{"ALTER TABLE a DROP v", "CREATE TABLE a (id INT)"}, 1},
      {{"DROP TABLE a", "CREATE TABLE IF NOT EXISTS a (id INT)"}, 1},
      {{"RENAME TABLE shop.a TO else.a", "CREATE TABLE IF NOT EXISTS a (id INT)"}, 1},
      {{"DROP DATABASE shop", "CREATE TABLE IF NOT EXISTS a (id INT)"}, 1},
      {{"CREATE TABLE IF NOT EXISTS b (id INT)"}, 1}};
  for (const auto& [statements, made] : cases) {
    Follow({TableOf("a"), dropped});
    assembler_->set_awaits([](const model::TableName& name) { return name.schema == "shop"; });
    for (const auto sql : statements) ASSERT_TRUE(Sql(sql));
    const Batch batch = assembler_->TakeBatch();
    EXPECT_EQ(batch.made.size(), made) << statements.back();
    for (const Fence& fence : batch.fences) {
      EXPECT_EQ(fence.gone, statements[0].find("ALTER") == std::string_view::npos);
    }
  }
}

// The other tables go on, and what the table had before is written.
TEST_F(AssemblerTest, AFencedTableIsPassedOver) {
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
  ASSERT_TRUE(Commit());
  ASSERT_TRUE(Begin(2));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{2, 20}}));
  ASSERT_TRUE(Map(8, "b"));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 8, {{3, 30}}));
  assembler_->FenceTable(0, {.code = ErrorCode::kNeedsUser, .message = "why"});
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{4, 40}}));
  ASSERT_TRUE(Map(7, "a"));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{5, 50}}));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 8, {{6, 60}}));
  EXPECT_EQ(assembler_->rows(), 3U);
  ASSERT_TRUE(Commit());
  assembler_->FenceTable(0, {.code = ErrorCode::kNeedsUser, .message = "again"});
  const Batch batch = assembler_->TakeBatch();
  EXPECT_THAT(RowsOf(batch, 0), ElementsAre("1=10"));
  EXPECT_THAT(RowsOf(batch, 1), ElementsAre("3=30", "6=60"));
  EXPECT_EQ(batch.rows, 3U);
  ASSERT_EQ(batch.fences.size(), 1U);
  EXPECT_EQ(batch.fences[0].table, 0U);
  EXPECT_EQ(batch.fences[0].position.mysql.ToString(), fmt::format("{}:1", kUuid));
  EXPECT_EQ(batch.fences[0].error.message, "why");
  EXPECT_EQ(batch.end.mysql.ToString(), fmt::format("{}:1-2", kUuid));
}

TEST_F(AssemblerTest, AQuarantinedTableIsNotFollowed) {
  StreamTable table = TableOf("a");
  table.quarantined = true;
  Follow({table, TableOf("b")});
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
  ASSERT_TRUE(Sql("ALTER TABLE a DROP v"));
  ASSERT_TRUE(Commit());
  EXPECT_FALSE(assembler_->cut_due());
  EXPECT_THAT(assembler_->TakeBatch().tables, IsEmpty());
}

TEST_F(AssemblerTest, ChangesBeforeATablesOwnStartAreInItsLoad) {
  StreamTable table = TableOf("a");
  table.start = model::Position{.mechanism = model::Mechanism::kMysqlGtid,
                                .file = "bin.000001",
                                .offset = 0,
                                .mysql = *model::MysqlGtidSet::Parse(fmt::format("{}:1-2", kUuid)),
                                .mariadb = {}};
  Follow({table, TableOf("b")});
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
  ASSERT_TRUE(Map(8, "b"));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 8, {{3, 30}}));
  ASSERT_TRUE(Commit());
  ASSERT_TRUE(Gtid(2));
  ASSERT_TRUE(Sql("ALTER TABLE a ADD w INT"));
  ASSERT_TRUE(Begin(3));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{2, 20}}));
  ASSERT_TRUE(Commit());
  const Batch batch = assembler_->TakeBatch();
  EXPECT_THAT(RowsOf(batch, 0), ElementsAre("2=20"));
  EXPECT_THAT(RowsOf(batch, 1), ElementsAre("3=30"));
  EXPECT_THAT(batch.fences, IsEmpty());
}

TEST_F(AssemblerTest, ATablesOwnStartByFile) {
  StreamTable table = TableOf("a");
  table.start = model::Position{.mechanism = model::Mechanism::kFile,
                                .file = "bin.000001",
                                .offset = 500,
                                .mysql = {},
                                .mariadb = {}};
  Follow({table}, {}, {}, {}, model::Mechanism::kFile);
  end_offset_ = 0;
  for (const int32_t id : {1, 2}) {  // ends at 400, at 800
    ASSERT_TRUE(Sql("BEGIN"));
    ASSERT_TRUE(Map(7, "a"));
    ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{id, 0}}));
    ASSERT_TRUE(Commit());
    if (id == 1) end_offset_ = 500;
  }
  EXPECT_THAT(RowsOf(assembler_->TakeBatch(), 0), IsEmpty()) << "begun before it, at 400";
  ASSERT_TRUE(Sql("BEGIN"));
  ASSERT_TRUE(Map(7, "a"));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{3, 0}}));
  ASSERT_TRUE(Commit());
  EXPECT_THAT(RowsOf(assembler_->TakeBatch(), 0), ElementsAre("3=0"));
}

// No row may follow in the batch that ends with it.
TEST_F(AssemblerTest, TruncateEndsABatch) {
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
  ASSERT_TRUE(Commit());
  EXPECT_FALSE(assembler_->cut_due());
  ASSERT_TRUE(Gtid(2));
  ASSERT_TRUE(Sql("TRUNCATE TABLE a"));
  EXPECT_TRUE(assembler_->cut_due());
  const Batch batch = assembler_->TakeBatch();
  EXPECT_EQ(batch.truncated, 0U);
  EXPECT_EQ(batch.before_truncate.mysql.ToString(), fmt::format("{}:1", kUuid));
  EXPECT_EQ(batch.begin.mysql.ToString(), "");
  EXPECT_EQ(batch.end.mysql.ToString(), fmt::format("{}:1-2", kUuid));
  EXPECT_FALSE(assembler_->cut_due());
  ASSERT_TRUE(Sql("TRUNCATE TABLE elsewhere"));
  EXPECT_FALSE(assembler_->cut_due());
}

TEST_F(AssemblerTest, ChangedDefinitionFencesItsTable) {
  ASSERT_TRUE(Gtid(1));
  ASSERT_TRUE(Sql("BEGIN"));
  ASSERT_TRUE(Map(7, "a", 3));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 10}}));
  ASSERT_TRUE(Commit());
  EXPECT_THAT(TakeFences(), ElementsAre("shop.a before "));
}

// binlog_row_image MINIMAL: rows of which the log holds a part are to be read again.
TEST_F(AssemblerTest, RowsThatLackColumnsAreNamedByTheirKey) {
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 0}}, "\1"));
  ASSERT_TRUE(Rows(RowsKind::kUpdate, 7, {{2, 0}, {0, 9}}, "\1", "\2"));
  ASSERT_TRUE(Rows(RowsKind::kUpdate, 7, {{3, 0}, {4, 0}}, "\1", "\1"));
  ASSERT_TRUE(Rows(RowsKind::kDelete, 7, {{5, 0}}, "\1"));
  ASSERT_TRUE(Commit());
  EXPECT_EQ(assembler_->rows(), 4U);
  const Batch batch = assembler_->TakeBatch();
  // The update of row 2 tells all there is to tell of it.
  EXPECT_THAT(RowsOf(batch, 0), ElementsAre("2=9", "-3=0", "-5=0"));
  EXPECT_THAT(batch.tables[0].rereads, ElementsAre("`id` = 1", "`id` = 4"));
  const std::vector<uint64_t> versions = VersionsOf(batch);
  EXPECT_GT(batch.tables[0].reread_version, versions[1]) << "the deletion of the old key is older";
  EXPECT_LT(batch.tables[0].reread_version, versions[2]) << "what follows in the log is newer";
  EXPECT_EQ(batch.read_to, batch.end);
}

TEST_F(AssemblerTest, AnInsertMayLeaveItsKeyToTheDefault) {
  for (const RowsKind kind : {RowsKind::kDelete, RowsKind::kUpdate}) {
    Follow({TableOf("a")});
    ASSERT_TRUE(Begin(1));
    ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{0, 1}}, "\2"));
    EXPECT_THAT(assembler_->TakeBatch().tables[0].rereads, ElementsAre("`id` = DEFAULT(`id`)"));
    ASSERT_TRUE(Rows(kind, 7, {{0, 1}, {0, 2}}, "\2", "\2"));
    const Batch batch = assembler_->TakeBatch();
    ASSERT_EQ(batch.fences.size(), 1U);
    EXPECT_THAT(batch.fences[0].error.message, HasSubstr("key is among those that are missing"));
  }
}

TEST_F(AssemblerTest, RereadsOfWhatIsUndoneAreForgotten) {
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 0}}, "\1"));
  ASSERT_TRUE(Sql("SAVEPOINT `s`"));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{2, 0}}, "\1"));
  ASSERT_TRUE(Sql("ROLLBACK TO `s`"));
  ASSERT_TRUE(Commit());
  const uint64_t bytes = assembler_->bytes();
  ASSERT_TRUE(Begin(2));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{3, 0}}, "\1"));
  EXPECT_GT(assembler_->bytes(), bytes);
  ASSERT_TRUE(Sql("ROLLBACK"));
  EXPECT_EQ(assembler_->bytes(), bytes);
  EXPECT_THAT(assembler_->TakeBatch().tables[0].rereads, ElementsAre("`id` = 1"));
}

// Its rows are visible only with all of the transaction.
TEST_F(AssemblerTest, ABatchInATransactionTellsWhatWasReadOfIt) {
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 0}}, "\1"));
  const Batch batch = assembler_->TakeBatch();
  EXPECT_EQ(batch.end.mysql.ToString(), "");
  EXPECT_EQ(batch.read_to.mysql.ToString(), fmt::format("{}:1", kUuid));
  EXPECT_GT(batch.read_to.offset, batch.end.offset);
}

TEST_F(AssemblerTest, RowsThatLackColumnsFenceWhereTheKeyIsAnother) {
  StreamTable table = TableOf("a");
  table.target_options.sorting_keys = {"v"};
  Follow({table});
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Rows(RowsKind::kInsert, 7, {{1, 0}}, "\1"));
  const Batch batch = assembler_->TakeBatch();
  ASSERT_EQ(batch.fences.size(), 1U);
  EXPECT_THAT(batch.fences[0].error.message, HasSubstr("without all of its columns"));
  EXPECT_THAT(batch.fences[0].error.message, HasSubstr("not the primary key"));
}

// binlog_row_image FULL_NODUP: the second image holds only what changed.
TEST_F(AssemblerTest, SecondImagesAreCompletedFromTheFirst) {
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Rows(RowsKind::kUpdate, 7, {{1, 10}, {0, 11}}, "\3", "\2"));
  ASSERT_TRUE(Rows(RowsKind::kUpdate, 7, {{1, 11}, {5, 0}}, "\3", "\1"));
  ASSERT_TRUE(Commit());
  EXPECT_THAT(RowsOf(assembler_->TakeBatch(), 0), ElementsAre("1=11", "-1=11", "5=11"));
}

// A log about `shop.s` (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING, with its hidden times.
class VersionedAssemblerTest : public AssemblerTest {
 protected:
  VersionedAssemblerTest() {
    StreamTable table = TableOf("s");
    table.definition.hidden_columns = 2;
    table.definition.row_end = 3;
    Follow({table});
    EXPECT_TRUE(Gtid(1));
    EXPECT_TRUE(Sql("BEGIN"));
    static constexpr std::array<uint16_t, 4> kMetadata{0, 0, 6, 6};
    EXPECT_TRUE(Feed(binlog::TableMap{.table_id = 7,
                                      .schema = "shop",
                                      .table = "s",
                                      .types = "\3\3\x11\x11",
                                      .metadata = kMetadata,
                                      .nullable = std::string_view("\0", 1),
                                      .is_unsigned = {},
                                      .names = {}}));
  }

  struct Image {
    int32_t id;
    int32_t v;
    std::string_view end;  // seconds and microseconds
  };
  static constexpr std::string_view kNever32{"\x7f\xff\xff\xff\x0f\x42\x3f", 7};
  static constexpr std::string_view kNever{"\xff\xff\xff\xff\x0f\x42\x3f", 7};
  static constexpr std::string_view kPast{"\x6b\x00\x00\x00\x00\x00\x01", 7};

  Status Change(RowsKind kind, const std::vector<Image>& images,
                std::string_view present = "\x0f") {
    std::string data;
    for (const Image& image : images) {
      data += '\0';
      data.append(reinterpret_cast<const char*>(&image.id), sizeof(int32_t));
      data.append(reinterpret_cast<const char*>(&image.v), sizeof(int32_t));
      if (present == "\x0f") data.append(kPast).append(image.end);
    }
    return Feed(binlog::Rows{.kind = kind,
                             .table_id = 7,
                             .statement_end = true,
                             .column_count = 4,
                             .present = present,
                             .present_after = present,
                             .partial_json = false,
                             .data = data});
  }
};

TEST_F(VersionedAssemblerTest, RowsThatHaveEndedAreNotRows) {
  ASSERT_TRUE(Change(RowsKind::kInsert, {{1, 10, kNever}, {2, 20, kNever32}, {9, 90, kPast}}));
  ASSERT_TRUE(Change(RowsKind::kUpdate, {{1, 10, kNever}, {1, 11, kNever}}));
  ASSERT_TRUE(Change(RowsKind::kInsert, {{1, 10, kPast}}));
  ASSERT_TRUE(Change(RowsKind::kUpdate, {{2, 20, kNever32}, {2, 20, kPast}}));
  ASSERT_TRUE(Change(RowsKind::kUpdate, {{1, 10, kPast}, {1, 12, kPast}}));
  ASSERT_TRUE(Change(RowsKind::kDelete, {{1, 10, kPast}, {2, 20, kPast}}));
  ASSERT_TRUE(Commit());
  const Batch batch = assembler_->TakeBatch();
  EXPECT_THAT(RowsOf(batch, 0), ElementsAre("1=10", "2=20", "1=11", "-2=20"));
  EXPECT_EQ(batch.rows, 4);
  EXPECT_EQ(batch.tables[0].counts.inserted, 2);
  EXPECT_EQ(batch.tables[0].counts.updated, 1);
  EXPECT_EQ(batch.tables[0].counts.deleted, 1);
}

TEST_F(VersionedAssemblerTest, AnImageThatDoesNotTellFencesItsTable) {
  ASSERT_TRUE(Change(RowsKind::kInsert, {{1, 10, kNever}}, "\x03"));
  const Batch batch = assembler_->TakeBatch();
  EXPECT_THAT(batch.tables, IsEmpty());
  ASSERT_EQ(batch.fences.size(), 1U);
  EXPECT_THAT(batch.fences[0].error.message, HasSubstr("shop.s"));
}

TEST_F(AssemblerTest, OffsetsBeyondFourGigabytes) {
  end_offset_ = 0xffffff00;
  ASSERT_TRUE(Begin(1));
  ASSERT_TRUE(Commit());
  EXPECT_GT(assembler_->position().offset, 0x100000000U);
}

}  // namespace
}  // namespace penstock::stream
