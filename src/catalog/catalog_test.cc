#include "catalog/catalog.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "catalog/catalog_for_test.h"
#include "catalog/sqlite.h"

namespace penstock::catalog {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class CatalogTest : public testing::Test {
 protected:
  std::unique_ptr<Catalog> Open(fs::path key_file = {}) {
    Result<std::unique_ptr<Catalog>> opened = TryOpen(std::move(key_file));
    EXPECT_TRUE(opened) << opened.error().ToString();
    return opened ? *std::move(opened) : nullptr;
  }
  Result<std::unique_ptr<Catalog>> TryOpen(fs::path key_file = {}) {
    return Catalog::Open(
        {.data_dir = folder_.path() / "data", .secret_key_file = key_file, .clock = &clock_});
  }
  fs::path DataDir() const { return folder_.path() / "data"; }

  std::string FileBytes() const {
    std::string all;
    for (const auto& entry : fs::directory_iterator(DataDir())) {
      std::ifstream stream(entry.path(), std::ios::binary);
      all.append(std::istreambuf_iterator<char>(stream), {});
    }
    return all;
  }

  TemporaryFolder folder_;
  FixedClock clock_;
};

mode_t ModeOf(const fs::path& path) {
  struct stat info {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

TEST_F(CatalogTest, NamesOfTheServerAreKept) {
  std::string organization;
  std::string service;
  {
    const auto catalog = Open();
    organization = catalog->organization_id();
    service = catalog->service_id();
  }
  EXPECT_THAT(organization, SizeIs(36));
  EXPECT_NE(organization, service);
  const auto catalog = Open();
  EXPECT_EQ(catalog->organization_id(), organization);
  EXPECT_EQ(catalog->service_id(), service);
}

TEST_F(CatalogTest, PipesAreKept) {
  PipeRecord pipe = SomePipe("a");
  pipe.resume_state = "Running";
  pipe.reason = "why";
  ASSERT_TRUE(Open()->CreatePipe(pipe));
  const auto pipes = Open()->Pipes();
  ASSERT_TRUE(pipes);
  ASSERT_THAT(*pipes, SizeIs(1));
  EXPECT_EQ(Describe((*pipes)[0]), Describe(pipe));
}

TEST_F(CatalogTest, ANameIsTakenOnce) {
  const auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  PipeRecord second = SomePipe("b");
  second.name = SomePipe("a").name;
  const Status status = catalog->CreatePipe(second);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kConflict);
  EXPECT_THAT(*catalog->Pipes(), SizeIs(1));
}

TEST_F(CatalogTest, SecretsAreSealedInEveryFile) {
  PipeRecord pipe = SomePipe("a");
  pipe.spec = R"({"password": "correct horse battery staple"})";
  const auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(pipe));
  EXPECT_THAT(FileBytes(), Not(HasSubstr("battery staple")));
  EXPECT_EQ((*catalog->Pipes())[0].spec, pipe.spec);
}

TEST_F(CatalogTest, TransitionsNeedTheStateTheyStartFrom) {
  const auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  const Transition transition = {.from = "Provisioning",
                                 .to = "Setup",
                                 .resume_state = "",
                                 .reason = "connected",
                                 .at = kTestTime + UnixMicros(77)};
  ASSERT_TRUE(catalog->SaveTransition("a", transition));
  const Status again = catalog->SaveTransition("a", transition);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kConflict);
  ASSERT_THAT(*catalog->Transitions("a", 1), SizeIs(1));
  EXPECT_EQ(catalog->Transitions("a", 1)->at(0).reason, "connected");
  EXPECT_EQ(catalog->SaveTransition("x", transition).error().code, ErrorCode::kNotFound);
  EXPECT_THAT(*catalog->Transitions("a", 10), SizeIs(2));
  const auto events = catalog->Events("a", 10);
  ASSERT_TRUE(events);
  ASSERT_THAT(*events, SizeIs(2));
  EXPECT_EQ((*events)[0].kind, "state");
  EXPECT_EQ((*events)[0].text, "Provisioning to Setup: connected");
  EXPECT_EQ((*catalog->Pipes())[0].state_since, kTestTime + UnixMicros(77));
}

TEST_F(CatalogTest, ValueChangesAddUpAndTheFirstOfAKindIsAnEvent) {
  std::vector<TableRecord> tables = {SomeTable("t"), SomeTable("u")};
  auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  ASSERT_TRUE(catalog->FinishSetup("a", tables, SomeCheckpoint(), ToSnapshot()));
  ASSERT_TRUE(catalog->AddPartitions(tables[0].id, {{}}, true, {}));
  const auto clamped = SomeChange(tables[0].id, "price", 2);
  ASSERT_TRUE(catalog->FinishPartition(tables[0].id, {.index = 0, .rows = 7}, {clamped}));
  const size_t events = catalog->Events("a", 100)->size();
  catalog.reset();
  catalog = Open();
  ASSERT_TRUE(catalog->SaveCheckpoint("a", SomeCheckpoint(), {.changes = {clamped}}));
  EXPECT_THAT(*catalog->Events("a", 100), SizeIs(events));
  auto nulled = SomeChange(tables[0].id, "price", 1);
  nulled.counts[model::Change::kNulled] = 5;
  ASSERT_TRUE(catalog->SaveCheckpoint("a", SomeCheckpoint(), {.changes = {nulled}}));
  EXPECT_THAT(*catalog->Events("a", 100), SizeIs(events + 1));
  EXPECT_EQ((*catalog->Events("a", 100))[0].kind, "value_changed");
  EXPECT_EQ((*catalog->Events("a", 100))[0].text.find("sch\"ema.t.price holds"), 0U);

  const auto stored = catalog->ValueChanges("a");
  ASSERT_THAT(*stored, SizeIs(1));
  EXPECT_EQ((*stored)[0].table_id, tables[0].id);
  EXPECT_EQ((*stored)[0].column, "price");
  EXPECT_EQ((*stored)[0].counts[model::Change::kClamped], 5U);
  EXPECT_EQ((*stored)[0].counts[model::Change::kNulled], 5U);
  EXPECT_EQ((*stored)[0].counts[model::Change::kReplaced], 0U);
}

TEST_F(CatalogTest, TablesAndPartitionsAreKeptWhole) {
  std::vector<TableRecord> tables = {SomeTable("t"), SomeTable("u")};
  {
    const auto catalog = Open();
    ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
    ASSERT_TRUE(catalog->FinishSetup("a", tables, SomeCheckpoint(), ToSnapshot()));
    PartitionRecord first;
    first.upper = {{std::string("a\0b", 3), "", "\xff\xfe"}};
    PartitionRecord last;
    last.lower = first.upper;
    ASSERT_TRUE(catalog->AddPartitions(tables[0].id, {first}, false, {.rows = 10, .bytes = 100}));
    ASSERT_TRUE(catalog->AddPartitions(tables[0].id, {last}, true, {.rows = 20, .bytes = 200}));
    ASSERT_TRUE(catalog->BeginAttempt(tables[0].id, 1, kTestTime));
    ASSERT_TRUE(catalog->FinishPartition(
        tables[0].id, {.index = 1, .rows = 7, .bytes = 70, .at = kTestTime + UnixMicros(5)}, {}));
    EXPECT_EQ(catalog->FinishPartition(tables[0].id, {.index = 2}, {}).error().code,
              ErrorCode::kNotFound);
  }
  EXPECT_GT(tables[0].id, 0);
  EXPECT_NE(tables[0].id, tables[1].id);
  const auto catalog = Open();
  const auto stored = catalog->Tables("a");
  ASSERT_TRUE(stored) << stored.error().ToString();
  ASSERT_THAT(*stored, SizeIs(2));
  EXPECT_EQ((*stored)[0].definition, tables[0].definition);
  EXPECT_EQ((*stored)[0].load_version_base, tables[0].load_version_base);
  EXPECT_TRUE((*stored)[0].partitions_planned);
  EXPECT_EQ((*stored)[0].rows_estimated, 20u);
  EXPECT_EQ((*stored)[0].bytes_estimated, 200u);
  const auto partitions = catalog->Partitions("a");
  ASSERT_TRUE(partitions);
  ASSERT_THAT(*partitions, SizeIs(2));
  EXPECT_EQ((*partitions)[0].lower, std::nullopt);
  EXPECT_THAT(*(*partitions)[0].upper, ElementsAre(std::string("a\0b", 3), "", "\xff\xfe"));
  EXPECT_FALSE((*partitions)[0].done);
  EXPECT_EQ((*partitions)[1].index, 1u);
  EXPECT_TRUE((*partitions)[1].done);
  EXPECT_EQ((*partitions)[1].rows, 7u);
  EXPECT_EQ((*partitions)[1].bytes, 70u);
  EXPECT_EQ((*partitions)[0].started_at, UnixMicros());
  EXPECT_EQ((*partitions)[1].started_at, kTestTime);
  EXPECT_EQ((*partitions)[1].finished_at, kTestTime + UnixMicros(5));
}

TEST_F(CatalogTest, TheLatestPartitionsComeFirst) {
  std::vector<TableRecord> tables = {SomeTable("t"), SomeTable("u")};
  const auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  ASSERT_TRUE(catalog->FinishSetup("a", tables, SomeCheckpoint(), ToSnapshot()));
  for (const TableRecord& table : tables) {
    ASSERT_TRUE(catalog->AddPartitions(table.id, {{}, {}}, true, {}));
  }
  ASSERT_TRUE(catalog->BeginAttempt(tables[1].id, 0, kTestTime));
  ASSERT_TRUE(catalog->BeginAttempt(tables[0].id, 1, kTestTime + UnixMicros(1)));
  const auto latest = [&](std::optional<int64_t> table_id, size_t limit) {
    std::vector<std::pair<int64_t, uint32_t>> places;
    const auto partitions = *catalog->LatestPartitions("a", table_id, limit);
    for (const auto& partition : partitions) {
      places.emplace_back(partition.table_id - tables[0].id, partition.index);
    }
    return places;
  };
  using Pair = std::pair<int64_t, uint32_t>;
  EXPECT_THAT(latest(std::nullopt, 10),
              ElementsAre(Pair(0, 1), Pair(1, 0), Pair(0, 0), Pair(1, 1)));
  EXPECT_THAT(latest(tables[1].id, 10), ElementsAre(Pair(1, 0), Pair(1, 1)));
  EXPECT_THAT(latest(std::nullopt, 1), ElementsAre(Pair(0, 1)));
  EXPECT_THAT(*catalog->LatestPartitions("b", std::nullopt, 10), IsEmpty());
}

TEST_F(CatalogTest, AnEmptyBoundaryIsNotAnOpenOne) {
  std::vector<TableRecord> tables = {SomeTable("t")};
  const auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  ASSERT_TRUE(catalog->FinishSetup("a", tables, SomeCheckpoint(), ToSnapshot()));
  PartitionRecord partition;
  partition.lower = std::vector<std::string>{};
  ASSERT_TRUE(catalog->AddPartitions(tables[0].id, {partition}, true, {}));
  EXPECT_EQ((*catalog->Partitions("a"))[0].lower, std::vector<std::string>{});
  EXPECT_EQ((*catalog->Partitions("a"))[0].upper, std::nullopt);
}

TEST_F(CatalogTest, ALoadThatBeginsForgetsTheOneBefore) {
  std::vector<TableRecord> tables = {SomeTable("t")};
  const auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  ASSERT_TRUE(catalog->FinishSetup("a", tables, SomeCheckpoint(), ToSnapshot()));
  const int64_t id = tables[0].id;
  const ValueChangeRecord clamped = {
      .table_id = id, .column = "c", .counts = {.counts = {1, 0, 0}}};
  ASSERT_TRUE(catalog->AddPartitions(id, {PartitionRecord{}}, true, {}));
  ASSERT_TRUE(catalog->FinishPartition(id, {.index = 0, .rows = 7}, {clamped}));
  ASSERT_TRUE(catalog->BeginLoad({{.table_id = id, .name = "t_resync", .uuid = ""}}));
  EXPECT_THAT(*catalog->Partitions("a"), IsEmpty());
  EXPECT_THAT(*catalog->ValueChanges("a"), IsEmpty());
  EXPECT_FALSE((*catalog->Tables("a"))[0].partitions_planned);
  EXPECT_EQ((*catalog->Tables("a"))[0].load_target, "t_resync");

  ASSERT_TRUE(catalog->AddPartitions(id, {PartitionRecord{}}, true, {}));
  ASSERT_TRUE(catalog->EndLoad({{.table_id = id, .name = "t_resync", .uuid = "u"}}));
  EXPECT_THAT(*catalog->Partitions("a"), SizeIs(1));
  EXPECT_EQ((*catalog->Tables("a"))[0].loaded_uuid, "u");
  EXPECT_EQ(catalog->BeginLoad({{.table_id = 99, .name = "x", .uuid = ""}}).error().code,
            ErrorCode::kNotFound);
}

TEST_F(CatalogTest, AttemptsOnlyRise) {
  std::vector<TableRecord> tables = {SomeTable("t")};
  {
    const auto catalog = Open();
    ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
    ASSERT_TRUE(catalog->FinishSetup("a", tables, SomeCheckpoint(), ToSnapshot()));
    EXPECT_EQ(*catalog->BeginAttempt(tables[0].id, 0, kTestTime), 1u);
    EXPECT_EQ(*catalog->BeginAttempt(tables[0].id, 0, kTestTime), 2u);
    EXPECT_EQ(catalog->BeginAttempt(99, 0, kTestTime).error().code, ErrorCode::kNotFound);
  }
  EXPECT_EQ(*Open()->BeginAttempt(tables[0].id, 0, kTestTime), 3u);
}

TEST_F(CatalogTest, CheckpointsKeepAllBits) {
  Checkpoint checkpoint = SomeCheckpoint();
  checkpoint.versions_reserved_end = UINT64_MAX;
  checkpoint.position.offset = UINT64_MAX;
  checkpoint.open = {.gtid = "0-1-7", .tables = {{.table_id = 3, .rows = UINT64_MAX}}};
  checkpoint.sent = {.read_to = SomeCheckpoint(70).position, .table_ids = {3, INT64_MAX}};
  const auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  EXPECT_EQ(catalog->LoadCheckpoint("a").error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(catalog->SaveCheckpoint("a", checkpoint, {}));
  const auto stored = catalog->LoadCheckpoint("a");
  ASSERT_TRUE(stored) << stored.error().ToString();
  EXPECT_EQ(stored->position, checkpoint.position);
  EXPECT_EQ(stored->versions_reserved_end, UINT64_MAX);
  EXPECT_EQ(stored->open, checkpoint.open);
  EXPECT_EQ(stored->sent, checkpoint.sent);
  EXPECT_EQ(catalog->SaveCheckpoint("x", checkpoint, {}).error().code, ErrorCode::kNotFound);
}

TEST_F(CatalogTest, QuarantineComesWithItsCheckpoint) {
  std::vector<TableRecord> tables = {SomeTable("t"), SomeTable("u")};
  auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  ASSERT_TRUE(catalog->FinishSetup("a", tables, SomeCheckpoint(), ToSnapshot()));
  ASSERT_TRUE(
      catalog->AddPartitions(tables[0].id, {PartitionRecord{}}, false, {.rows = 10, .bytes = 0}));
  const Quarantine quarantine = {.position = SomeCheckpoint().position,
                                 .reason = "it was dropped",
                                 .since = kTestTime,
                                 .gone = true};
  ASSERT_TRUE(catalog->SaveCheckpoint(
      "a", SomeCheckpoint(),
      {.quarantines = {{tables[1].id, quarantine}}, .truncated = {tables[0].id}}));
  EXPECT_FALSE(catalog->Tables("a")->at(1).reload_wanted);
  for (const bool wanted : {true, false}) {  // once wanted, it stays so
    ASSERT_TRUE(catalog->SaveCheckpoint("a", SomeCheckpoint(),
                                        {.quarantines = {{tables[1].id, quarantine, wanted}}}));
  }
  catalog.reset();
  catalog = Open();
  const auto stored = *catalog->Tables("a");
  EXPECT_FALSE(stored[0].quarantine);
  EXPECT_TRUE(stored[0].partitions_planned) << "the load of an emptied table is over";
  EXPECT_THAT(*catalog->Partitions("a"), IsEmpty());
  EXPECT_TRUE(stored[1].reload_wanted);
  ASSERT_TRUE(stored[1].quarantine);
  EXPECT_EQ(stored[1].quarantine->position, quarantine.position);
  EXPECT_EQ(stored[1].quarantine->reason, quarantine.reason);
  EXPECT_EQ(stored[1].quarantine->since, quarantine.since);
  EXPECT_TRUE(stored[1].quarantine->gone);
  EXPECT_EQ((*catalog->Events("a", 100))[0].kind, "quarantine");
}

TEST_F(CatalogTest, ARetryMovesAQuarantineToItsEnd) {
  std::vector<TableRecord> tables = {SomeTable("t"), SomeTable("u")};
  auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  ASSERT_TRUE(catalog->FinishSetup("a", tables, SomeCheckpoint(), ToSnapshot()));
  const int64_t id = tables[1].id;
  const model::TransactionPart part = {.read_to = SomeCheckpoint(50).position, .rows = 3};
  ASSERT_TRUE(catalog->SaveCheckpoint(
      "a", SomeCheckpoint(),
      {.quarantines = {{id, {SomeCheckpoint(40).position, "gone", kTestTime}, false, part}}}));
  EXPECT_FALSE(catalog->Tables("a")->at(1).quarantine->retrying);
  EXPECT_EQ(catalog->Tables("a")->at(1).start_part, part);
  ASSERT_TRUE(
      catalog->WantRetry("a", {id, tables[0].id},
                         {.at = kTestTime, .level = "info", .kind = "quarantine", .text = ""}));
  EXPECT_FALSE(catalog->Tables("a")->at(0).quarantine) << "nothing to be retried";

  const InsertRecord insert = {.table_id = id,
                               .target = "u",
                               .version_begin = 1,
                               .version_end = 2,
                               .rows = 1,
                               .start = SomeCheckpoint(60).position,
                               .start_part = {}};
  ASSERT_TRUE(catalog->SaveCheckpoint("a", SomeCheckpoint(), {.inserts = {insert}}));
  ASSERT_TRUE(catalog->SaveRetry("a", {{id, SomeCheckpoint(60).position}}, {.settled = {id}}));
  catalog.reset();
  catalog = Open();
  TableRecord stored = catalog->Tables("a")->at(1);
  ASSERT_TRUE(stored.quarantine);
  EXPECT_TRUE(stored.quarantine->retrying);
  EXPECT_EQ(stored.quarantine->position, SomeCheckpoint(60).position);
  EXPECT_EQ(stored.start, SomeCheckpoint(60).position);
  EXPECT_FALSE(stored.start_part);
  EXPECT_THAT(*catalog->Inserts("a"), IsEmpty());

  Checkpoint open = SomeCheckpoint(60);
  open.open = {.gtid = "g", .tables = {{.table_id = id, .rows = 9}, {tables[0].id, 1}}};
  ASSERT_TRUE(catalog->SaveCheckpoint("a", open, {}));
  ASSERT_TRUE(catalog->EndRetry(
      "a", {{.table_id = id, .start = SomeCheckpoint(70).position}},
      {.at = kTestTime, .level = "info", .kind = "quarantine", .text = "followed"}));
  stored = catalog->Tables("a")->at(1);
  EXPECT_FALSE(stored.quarantine);
  EXPECT_EQ(stored.start, SomeCheckpoint(70).position);
  EXPECT_EQ(catalog->LoadCheckpoint("a")->open.tables.size(), 1U) << "its part is not the stream's";
  EXPECT_EQ((*catalog->Events("a", 100))[0].text, "followed");
}

TEST_F(CatalogTest, AnotherQuarantineEndsARetry) {
  std::vector<TableRecord> tables = {SomeTable("t")};
  const auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  ASSERT_TRUE(catalog->FinishSetup("a", tables, SomeCheckpoint(), ToSnapshot()));
  const EventRecord event{.at = kTestTime, .level = "info", .kind = "quarantine", .text = ""};
  const QuarantineRecord quarantine = {tables[0].id,
                                       {SomeCheckpoint(40).position, "gone", kTestTime}};
  ASSERT_TRUE(catalog->SaveCheckpoint("a", SomeCheckpoint(), {.quarantines = {quarantine}}));
  ASSERT_TRUE(catalog->WantRetry("a", {tables[0].id}, event));
  EXPECT_TRUE(catalog->Tables("a")->at(0).quarantine->retrying);
  ASSERT_TRUE(catalog->SaveRetry("a", {}, {.quarantines = {quarantine}}));
  EXPECT_FALSE(catalog->Tables("a")->at(0).quarantine->retrying);
  ASSERT_TRUE(catalog->BeginLoad({{tables[0].id, "t_resync_1", ""}}));
  ASSERT_TRUE(catalog->WantRetry("a", {tables[0].id}, event));
  EXPECT_FALSE(catalog->Tables("a")->at(0).quarantine->retrying) << "it is being resynced";
}

TEST_F(CatalogTest, ADefinitionComesWithItsCheckpoint) {
  std::vector<TableRecord> tables = {SomeTable("t"), SomeTable("u")};
  auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  ASSERT_TRUE(catalog->FinishSetup("a", tables, SomeCheckpoint(), ToSnapshot()));
  model::Table wider = tables[1].definition;
  wider.columns.push_back(wider.columns[2]);
  wider.columns[3].name = "added";
  const Checkpoint next = SomeCheckpoint(100);
  for (const char* ddl : {"ALTER TABLE u ADD", ""}) {
    ASSERT_TRUE(catalog->SaveCheckpoint("a", next,
                                        {.definitions = {{.table_id = tables[1].id,
                                                          .definition = wider,
                                                          .ddl = ddl,
                                                          .start = next.position}}}));
  }
  catalog.reset();
  catalog = Open();
  const auto stored = *catalog->Tables("a");
  EXPECT_EQ(stored[0].definition, tables[0].definition);
  EXPECT_EQ(stored[1].definition, wider);
  EXPECT_EQ(stored[1].ddl, "CREATE TABLE u;\nALTER TABLE u ADD");
  EXPECT_EQ(stored[1].start, next.position);
  EXPECT_EQ(catalog->LoadCheckpoint("a")->position, next.position);
}

TEST_F(CatalogTest, AnInsertIsOnRecordUntilItIsSettled) {
  auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  std::vector<TableRecord> tables = {SomeTable("t"), SomeTable("u")};
  ASSERT_TRUE(catalog->FinishSetup("a", tables, SomeCheckpoint(), ToSnapshot()));
  InsertRecord first{.table_id = tables[0].id,
                     .target = "t",
                     .version_begin = 7,
                     .version_end = UINT64_MAX,
                     .rows = 3,
                     .start = SomeCheckpoint(70).position,
                     .start_part = {}};
  InsertRecord second = first;
  second.table_id = tables[1].id;
  second.start_part = {.read_to = SomeCheckpoint(80).position, .rows = 9};
  ASSERT_TRUE(catalog->SaveCheckpoint("a", SomeCheckpoint(), {.inserts = {first, second}}));
  first.rows = 4;
  ASSERT_TRUE(catalog->SaveCheckpoint("a", SomeCheckpoint(), {.inserts = {first}}));
  catalog.reset();
  catalog = Open();
  EXPECT_THAT(*catalog->Inserts("a"), ElementsAre(first, second));
  ASSERT_TRUE(catalog->SaveCheckpoint("a", SomeCheckpoint(), {.settled = {tables[0].id}}));
  EXPECT_THAT(*catalog->Inserts("a"), ElementsAre(second));
  ASSERT_TRUE(catalog->SettleInsert(second, /*is_there=*/true));
  EXPECT_THAT(*catalog->Inserts("a"), IsEmpty());
  EXPECT_EQ(catalog->Tables("a")->at(1).start, second.start);
  EXPECT_EQ(catalog->Tables("a")->at(1).start_part, second.start_part);
  EXPECT_FALSE(catalog->Tables("a")->at(0).start);

  ASSERT_TRUE(catalog->SaveCheckpoint("a", SomeCheckpoint(), {.inserts = {second}}));
  const LoadTargetRecord target{.table_id = tables[1].id, .name = "u_resync_1", .uuid = {}};
  ASSERT_TRUE(catalog->BeginSnapshot("a", {target}, SomeCheckpoint(90).position));
  EXPECT_THAT(*catalog->Inserts("a"), IsEmpty());
  EXPECT_EQ(catalog->Tables("a")->at(1).start, SomeCheckpoint(90).position);
  EXPECT_FALSE(catalog->Tables("a")->at(1).start_part);
  EXPECT_EQ(catalog->Tables("a")->at(1).load_target, target.name);
}

TEST_F(CatalogTest, AReloadBeginsAnewAndEnds) {
  std::vector<TableRecord> tables = {SomeTable("t"), SomeTable("u")};
  auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  ASSERT_TRUE(catalog->FinishSetup("a", tables, SomeCheckpoint(), ToSnapshot()));
  ASSERT_TRUE(
      catalog->AddPartitions(tables[0].id, {PartitionRecord{}}, true, {.rows = 10, .bytes = 100}));
  ASSERT_TRUE(catalog->SaveCheckpoint(
      "a", SomeCheckpoint(),
      {.quarantines = {{tables[0].id, {SomeCheckpoint().position, "changed", kTestTime}}}}));
  const auto to = [](const char* from, const char* next) {
    return Transition{
        .from = from, .to = next, .resume_state = next, .reason = "", .at = kTestTime};
  };
  ASSERT_TRUE(catalog->WantReload("a", {tables[0].id}, true, to("Snapshot", "Setup")));
  EXPECT_EQ(catalog->LoadCheckpoint("a").error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(catalog->Tables("a")->at(0).reload_wanted);
  EXPECT_FALSE(catalog->Tables("a")->at(1).reload_wanted);

  TableRecord anew = catalog->Tables("a")->at(0);
  anew.definition.columns[0].name = "renamed";
  anew.load_target = "t_resync_1";
  anew.quarantine.reset();
  anew.keeps_target_fresh = true;
  anew.partitions_planned = false;
  anew.reload_wanted = false;
  anew.start = SomeCheckpoint(77).position;
  Checkpoint checkpoint = SomeCheckpoint();
  checkpoint.open = {.gtid = "", .tables = {{tables[0].id, 5}, {tables[1].id, 6}}};
  ASSERT_TRUE(catalog->BeginReload("a", {anew}, checkpoint, to("Setup", "Snapshot")));
  catalog.reset();
  catalog = Open();
  TableRecord stored = catalog->Tables("a")->at(0);
  EXPECT_EQ(stored.definition, anew.definition);
  EXPECT_EQ(stored.load_target, "t_resync_1");
  EXPECT_EQ(stored.start, anew.start);
  EXPECT_TRUE(stored.keeps_target_fresh);
  EXPECT_FALSE(stored.reload_wanted);
  EXPECT_FALSE(stored.quarantine);
  EXPECT_FALSE(stored.partitions_planned);
  EXPECT_THAT(*catalog->Partitions("a"), IsEmpty());
  ASSERT_TRUE(catalog->LoadCheckpoint("a"));
  EXPECT_THAT(catalog->LoadCheckpoint("a")->open.tables,
              ElementsAre(OpenTransaction::Table{tables[1].id, 6}));

  ASSERT_TRUE(catalog->EndReload("a", {anew.id}, to("Snapshot", "Running")));
  stored = catalog->Tables("a")->at(0);
  EXPECT_EQ(stored.load_target, "");
  EXPECT_FALSE(stored.keeps_target_fresh);
  EXPECT_EQ(stored.start, anew.start);
}

// Since a retry would go on from a target that is from before.
TEST_F(CatalogTest, OfALoadThatWasGivenUpNothingCounts) {
  std::vector<TableRecord> tables = {SomeTable("stale"), SomeTable("loaded")};
  const auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  ASSERT_TRUE(catalog->FinishSetup("a", tables, SomeCheckpoint(), ToSnapshot()));
  Transition next = {.from = "Snapshot", .to = "", .resume_state = "", .reason = "", .at = {}};
  std::vector<int64_t> ids;
  for (TableRecord& table : tables) {
    ids.push_back(table.id);
    table.load_target = table.target + "_resync_1";
  }
  ASSERT_TRUE(catalog->BeginReload("a", tables, std::nullopt, next));
  for (const int64_t id : ids) {
    ASSERT_TRUE(catalog->AddPartitions(id, {PartitionRecord{}}, true, {}));
  }
  ASSERT_TRUE(catalog->EndLoad({{.table_id = ids[1], .name = "loaded_resync_1", .uuid = "u"}}));
  std::swap(next.from, next.to);
  ASSERT_TRUE(catalog->EndReload("a", ids, next));
  const auto stored = *catalog->Tables("a");
  EXPECT_FALSE(stored[0].partitions_planned);
  EXPECT_TRUE(stored[1].partitions_planned);
  EXPECT_THAT(*catalog->Partitions("a"), SizeIs(1));
}

// Those that are too old to be told of may still be there.
TEST_F(CatalogTest, BatchesGoOnAfterALongRest) {
  std::vector<TableRecord> tables = {SomeTable("t")};
  const auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  ASSERT_TRUE(catalog->FinishSetup("a", tables, SomeCheckpoint(), ToSnapshot()));
  for (int i = 0; i < 2; ++i) {
    clock_.Advance(std::chrono::hours(24 * 8));
    ASSERT_TRUE(catalog->SaveCheckpoint(
        "a", SomeCheckpoint(),
        {.batch = BatchRecord{.number = 1, .rows = 1, .finished_at = clock_.Wall()}}));
  }
  ASSERT_EQ(catalog->Batches("a", 10)->size(), 1U);
  EXPECT_EQ(catalog->Batches("a", 10)->at(0).number, 2U);
}

TEST_F(CatalogTest, ADeletedPipeIsKeptUntilItsRemovalsAreDone) {
  std::vector<TableRecord> tables = {SomeTable("t")};
  const auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  ASSERT_TRUE(catalog->FinishSetup("a", tables, SomeCheckpoint(), ToSnapshot()));
  const std::vector<RemovalRecord> removals = {
      {.url = "", .target = "t", .drop_target = true},
      {.url = "", .target = "u", .drop_target = true, .only_if_empty = true},
      {.url = "http://other", .target = "t"}};
  EXPECT_EQ(catalog->BeginDeletion("none", removals).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(catalog->BeginDeletion("a", removals));
  EXPECT_THAT(*catalog->Pipes(), IsEmpty());
  ASSERT_EQ(catalog->DeletedPipes()->size(), 1U);
  EXPECT_EQ(catalog->DeletedPipes()->at(0).spec, SomePipe("a").spec);
  EXPECT_EQ(*catalog->Removals("a"), removals);
  PipeRecord other = SomePipe("b");
  other.name = SomePipe("a").name;
  EXPECT_TRUE(catalog->CreatePipe(other));  // the name is free
  ASSERT_TRUE(catalog->DeletePipe("a"));
  EXPECT_THAT(*catalog->DeletedPipes(), IsEmpty());
}

TEST_F(CatalogTest, OnlyAQuarantinedTableThatIsMadeAnewIsToBeLoaded) {
  std::vector<TableRecord> tables = {SomeTable("t"), SomeTable("u")};
  const auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  ASSERT_TRUE(catalog->FinishSetup("a", tables, SomeCheckpoint(), ToSnapshot()));
  ASSERT_TRUE(catalog->SaveCheckpoint(
      "a", SomeCheckpoint(),
      {.quarantines = {{tables[0].id, {SomeCheckpoint().position, "dropped", kTestTime}}},
       .made_anew = {tables[0].id, tables[1].id}}));
  EXPECT_TRUE(catalog->Tables("a")->at(0).reload_wanted);
  EXPECT_FALSE(catalog->Tables("a")->at(1).reload_wanted);
}

TEST_F(CatalogTest, DeletingAPipeTakesAllThatBelongsToIt) {
  std::vector<TableRecord> tables = {SomeTable("t")};
  const auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  ASSERT_TRUE(catalog->FinishSetup("a", tables, SomeCheckpoint(), ToSnapshot()));
  ASSERT_TRUE(catalog->AddPartitions(tables[0].id, {PartitionRecord{}}, true, {}));
  ASSERT_TRUE(catalog->DeletePipe("a"));
  EXPECT_EQ(catalog->DeletePipe("a").error().code, ErrorCode::kNotFound);
  EXPECT_THAT(*catalog->Pipes(), IsEmpty());
  EXPECT_THAT(*catalog->Tables("a"), IsEmpty());
  EXPECT_THAT(*catalog->Partitions("a"), IsEmpty());
  EXPECT_THAT(*catalog->Events("a", 10), IsEmpty());
  const int64_t old_id = tables[0].id;
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  ASSERT_TRUE(catalog->FinishSetup("a", tables, SomeCheckpoint(), ToSnapshot()));
  EXPECT_GT(tables[0].id, old_id);
}

TEST_F(CatalogTest, OldBatchesAndEventsGo) {
  const auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  const auto add = [&] {
    BatchRecord batch = {.rows = 1,
                         .finished_at = clock_.Wall(),
                         .reading = UnixMicros(5),
                         .changes = {{.table_id = 7, .inserted = 1, .updated = 2, .deleted = 3}},
                         .read = SomeCheckpoint().position};
    ASSERT_TRUE(catalog->SaveCheckpoint("a", SomeCheckpoint(), {.batch = batch}));
    const BatchRecord stored = (*catalog->Batches("a", 1))[0];
    EXPECT_EQ(stored.changes, batch.changes);
    EXPECT_EQ(stored.read, batch.read);
    EXPECT_EQ(stored.reading, batch.reading);
    ASSERT_TRUE(catalog->AddEvent(
        "a", {.at = clock_.Wall(), .level = "info", .kind = "retry", .text = "x"}));
  };
  add();
  clock_.Advance(std::chrono::hours(24 * 8));
  add();
  ASSERT_THAT(*catalog->Batches("a", 100), SizeIs(1));
  EXPECT_EQ((*catalog->Batches("a", 100))[0].number, 2u);
  EXPECT_THAT(*catalog->Events("a", 100), SizeIs(3));
  clock_.Advance(std::chrono::hours(24 * 89));
  add();
  EXPECT_THAT(*catalog->Events("a", 100), SizeIs(2));
}

TEST_F(CatalogTest, FilesAreClosedToOthers) {
  const mode_t mask = ::umask(0);
  const auto catalog = Open();
  ::umask(mask);
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  EXPECT_EQ(ModeOf(DataDir()), 0700u);
  for (const auto& entry : fs::directory_iterator(DataDir())) {
    EXPECT_EQ(ModeOf(entry.path()), 0600u) << entry.path();
  }
}

TEST_F(CatalogTest, AnEmptyOpenFolderIsClosedAndAFilledOneRefused) {
  fs::create_directory(DataDir());
  ::chmod(DataDir().c_str(), 0755);
  Open();
  EXPECT_EQ(ModeOf(DataDir()), 0700u);

  fs::remove_all(DataDir());
  fs::create_directory(DataDir());
  ::chmod(DataDir().c_str(), 0755);
  std::ofstream(DataDir() / "thesis.txt") << "x";
  const auto refused = TryOpen();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kNeedsUser);
  EXPECT_EQ(ModeOf(DataDir()), 0755u);
}

TEST_F(CatalogTest, ASecondOneIsRefusedUntilTheFirstIsGone) {
  auto first = Open();
  const auto second = TryOpen();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_THAT(second.error().message, HasSubstr(fmt::format("pid {}", ::getpid())));
  first.reset();
  EXPECT_TRUE(TryOpen());
}

TEST_F(CatalogTest, ANewerVersionIsRefusedAndLeftAlone) {
  Open();
  {
    auto database = Sqlite::Open(DataDir() / "catalog.sqlite");
    ASSERT_TRUE(database);
    ASSERT_TRUE((*database)->Script("PRAGMA user_version = 999"));
  }
  const auto refused = TryOpen();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_THAT(refused.error().message, HasSubstr("999"));
}

TEST_F(CatalogTest, ADamagedFileIsRefused) {
  Open();
  std::fstream file(DataDir() / "catalog.sqlite", std::ios::in | std::ios::out | std::ios::binary);
  file.write("this is not a database, it is text. ", 36);
  file.close();
  fs::remove(DataDir() / "catalog.sqlite-wal");
  const auto refused = TryOpen();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kNeedsUser) << refused.error().ToString();
}

TEST_F(CatalogTest, AWrongOrMissingKeyIsSaid) {
  const fs::path key = folder_.path() / "key";
  const fs::path other = folder_.path() / "other";
  Open(key);
  EXPECT_EQ(ModeOf(key), 0600u);
  std::ofstream(other) << std::string(64, '1') << '\n';
  for (const fs::path& wrong : {other, folder_.path() / "absent"}) {
    const auto refused = TryOpen(wrong);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kNeedsUser);
    EXPECT_THAT(refused.error().ToString(), HasSubstr("--secret-key-file"));
  }
  EXPECT_FALSE(fs::exists(folder_.path() / "absent"));
  std::ofstream(other) << "no key";
  EXPECT_THAT(TryOpen(other).error().message, HasSubstr("64 hexadecimal digits"));
  EXPECT_TRUE(TryOpen(key));
}

TEST_F(CatalogTest, ManyThreadsWriteAtOnce) {
  const auto catalog = Open();
  constexpr int kThreads = 8;
  constexpr int kCalls = 25;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const std::string id = fmt::format("pipe{}", t);
      EXPECT_TRUE(catalog->CreatePipe(SomePipe(id)));
      for (int i = 0; i < kCalls; ++i) {
        EXPECT_TRUE(catalog->SaveCheckpoint(
            id, SomeCheckpoint(), {.batch = BatchRecord{.rows = 1, .finished_at = kTestTime}}));
        // A call that fails beside others takes nothing of theirs with it.
        EXPECT_FALSE(catalog->CreatePipe(SomePipe(id)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int t = 0; t < kThreads; ++t) {
    const std::string id = fmt::format("pipe{}", t);
    EXPECT_THAT(*catalog->Batches(id, 1000), SizeIs(kCalls));
    EXPECT_THAT(*catalog->Transitions(id, 10), SizeIs(1));
  }
}

// A limit on the size of files stands for a full disk: write() fails in the same place.
TEST_F(CatalogTest, AFullDiskIsSaidAndPasses) {
  std::signal(SIGXFSZ, SIG_IGN);
  const auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("a")));
  rlimit unlimited{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &unlimited), 0);
  const auto add = [&] {
    return catalog->AddEvent(
        "a",
        {.at = clock_.Wall(), .level = "info", .kind = "retry", .text = std::string(10'000, 'x')});
  };
  rlimit full = unlimited;
  full.rlim_cur = 128 * 1024;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
  int added = 0;
  Status status;
  while ((status = add()) && added < 100) ++added;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &unlimited), 0);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kExhausted) << status.error().ToString();
  EXPECT_EQ(status.error().origin, "catalog");
  EXPECT_NE(status.error().remedy, "");
  EXPECT_THAT(*catalog->Events("a", 1000), SizeIs(added + 1));
  EXPECT_TRUE(add());
}

TEST_F(CatalogTest, AnEditKeepsNamesUnique) {
  const auto catalog = Open();
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("one")));
  ASSERT_TRUE(catalog->CreatePipe(SomePipe("two")));
  const EventRecord event = {.at = clock_.Wall(), .level = "info", .kind = "edit", .text = "name"};
  const std::string id = "one";
  EXPECT_EQ(catalog->EditPipe(id, "name of two", "{}", event, {}).error().code,
            ErrorCode::kConflict);
  ASSERT_TRUE(catalog->EditPipe(id, "a name", R"({"password": "hidden"})", event, {}));
  EXPECT_EQ(catalog->Pipes()->at(0).name, "a name");
  EXPECT_EQ(catalog->Pipes()->at(0).spec, R"({"password": "hidden"})");
  EXPECT_EQ(catalog->Events(id, 1)->at(0).kind, "edit");
  EXPECT_EQ(FileBytes().find("hidden"), std::string::npos);
  EXPECT_EQ(catalog->EditPipe("none", "four", "{}", event, {}).error().code, ErrorCode::kNotFound);
}

TEST_F(CatalogTest, AnswersAreForgottenAfterADay) {
  const auto catalog = Open();
  AnswerRecord answer = {
      .key = "k", .request_hash = "secret-hash", .body = "{}", .at = clock_.Wall()};
  ASSERT_TRUE(catalog->SaveAnswer(answer));
  EXPECT_EQ(catalog->Answer("k")->value().request_hash, "secret-hash");
  EXPECT_THAT(FileBytes(), Not(HasSubstr("secret-hash")));
  EXPECT_FALSE(catalog->Answer("other")->has_value());
  answer.key = "later";
  answer.at += std::chrono::hours(24);
  ASSERT_TRUE(catalog->SaveAnswer(answer));
  EXPECT_FALSE(catalog->Answer("k")->has_value());
  EXPECT_EQ(*catalog->Setting("x"), "");
  ASSERT_TRUE(catalog->SaveSetting("x", "1"));
  ASSERT_TRUE(catalog->SaveSetting("x", "2"));
  EXPECT_EQ(*catalog->Setting("x"), "2");
}

}  // namespace
}  // namespace penstock::catalog
