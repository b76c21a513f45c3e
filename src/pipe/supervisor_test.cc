#include "pipe/supervisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/random.h"

namespace penstock::pipe {
namespace {

using ::testing::HasSubstr;

constexpr auto kSpec = R"({
  "name": "shop",
  "source": {"mysql": {
    "host": "127.0.0.1", "port": 1, "credentials": {"username": "u", "password": "p"},
    "settings": {"replicationMode": "cdc"},
    "tableMappings": [
      {"sourceSchemaName": "shop", "sourceTable": "orders", "targetTable": "orders"}]}},
  "destination": {"database": "analytics"}})";

// Pipes as an earlier process left them. None may reach a server here.
class SupervisorTest : public testing::Test {
 protected:
  SupervisorTest()
      : folder_(std::filesystem::temp_directory_path() / ("penstock-supervisor-" + RandomUuid())) {
    auto opened = catalog::Catalog::Open({.data_dir = folder_, .secret_key_file = {}});
    EXPECT_TRUE(opened.has_value());
    catalog_ = *std::move(opened);
  }
  ~SupervisorTest() override {
    supervisor_.reset();
    catalog_.reset();
    std::filesystem::remove_all(folder_);
  }

  void AddPipe(const std::string& id, const std::string& spec, State state) {
    const catalog::PipeRecord pipe{.id = id,
                                   .name = id,
                                   .spec = spec,
                                   .state = std::string(StateName(state)),
                                   .resume_state = std::string(StateName(State::kSetup)),
                                   .reason = "why",
                                   .state_since = {},
                                   .created_at = {},
                                   .updated_at = {}};
    ASSERT_TRUE(catalog_->CreatePipe(pipe).has_value());
  }
  // A table of two partitions, one of them done, and a stream position; then Paused.
  void FinishSetup(const std::string& id) {
    std::vector<catalog::TableRecord> tables(1);
    tables[0].definition.name = {"shop", "orders"};
    tables[0].target = "orders";
    tables[0].ddl = "CREATE TABLE orders";
    catalog::Checkpoint start;
    start.position.file = "bin.000007";
    start.position.offset = 4;
    ASSERT_TRUE(catalog_
                    ->FinishSetup(id, tables, start,
                                  {.from = "Setup",
                                   .to = "Snapshot",
                                   .resume_state = "Snapshot",
                                   .reason = "ready",
                                   .at = {}})
                    .has_value());
    const int64_t table = tables[0].id;
    std::vector<catalog::PartitionRecord> partitions(2);
    partitions[1].index = 1;
    for (auto& partition : partitions) partition.table_id = table;
    ASSERT_TRUE(
        catalog_->AddPartitions(table, partitions, true, {.rows = 30, .bytes = 300}).has_value());
    ASSERT_TRUE(
        catalog_->FinishPartition(table, {.index = 0, .rows = 20, .bytes = 200}, {}).has_value());
    ASSERT_TRUE(catalog_
                    ->SaveTransition(id, {.from = "Snapshot",
                                          .to = "Paused",
                                          .resume_state = "Snapshot",
                                          .reason = "why",
                                          .at = {}})
                    .has_value());
  }
  Status Start(bool has_default_destination) {
    Supervisor::Options options;
    options.catalog = catalog_.get();
    options.default_destination.url = "http://127.0.0.1:1";
    options.has_default_destination = has_default_destination;
    supervisor_ = std::make_unique<Supervisor>(std::move(options));
    return supervisor_->Start();
  }
  // Once its thread has brought the pipe into the state.
  PipeStatus Await(const std::string& id, State state) {
    for (int i = 0; i < 2000 && supervisor_->Get(id, 10)->state != state; ++i) {
      Clock::Real().Wait(std::chrono::milliseconds(5), {});
    }
    return *supervisor_->Get(id, 10);
  }

  const std::filesystem::path folder_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<Supervisor> supervisor_;
};

TEST_F(SupervisorTest, APausedPipeShowsItsTablesAndPositionAfterARestart) {
  AddPipe("p", kSpec, State::kSetup);
  FinishSetup("p");
  ASSERT_TRUE(Start(true).has_value());
  const PipeStatus status = *supervisor_->Get("p", 10);
  EXPECT_EQ(status.state, State::kPaused);
  EXPECT_THAT(status.position, HasSubstr("bin.000007"));
  ASSERT_EQ(status.tables.size(), 1U);
  EXPECT_EQ(status.tables[0].ddl, "CREATE TABLE orders");
  EXPECT_EQ(status.tables[0].load.partitions, 2U);
  EXPECT_EQ(status.tables[0].load.partitions_done, 1U);
  EXPECT_EQ(status.tables[0].load.rows, 20U);
  EXPECT_EQ(status.tables[0].load.rows_estimated, 30U);
  EXPECT_EQ(status.load.bytes, 200U);
  EXPECT_EQ(status.load.bytes_estimated, 300U);
  const auto partitions = *supervisor_->Partitions("p", "shop.orders", 10);
  ASSERT_EQ(partitions.size(), 2U);
  EXPECT_EQ(partitions[0].source.ToString(), "shop.orders");
  EXPECT_EQ(partitions[0].partition.bytes, 200U);
  EXPECT_EQ(supervisor_->Partitions("p", "shop.absent", 10).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(status.reason, "") << "a pipe that is well needs no explanation";
}

TEST_F(SupervisorTest, APipeWithoutADestinationFailsAndHoldsUpNoOther) {
  AddPipe("lost", kSpec, State::kRunning);
  auto own = nlohmann::json::parse(kSpec);
  own["destination"]["clickhouse"]["url"] = "http://127.0.0.1:1";
  AddPipe("own", own.dump(), State::kPaused);
  ASSERT_TRUE(Start(false).has_value());
  EXPECT_EQ(supervisor_->List().size(), 2U);
  const PipeStatus lost = Await("lost", State::kFailed);
  EXPECT_EQ(lost.state, State::kFailed);
  EXPECT_THAT(lost.reason, HasSubstr("--embedded-clickhouse"));
  EXPECT_EQ(supervisor_->Get("own", 10)->state, State::kPaused);
}

TEST_F(SupervisorTest, APipeWithoutADestinationStaysPausedUntilItIsStarted) {
  AddPipe("p", kSpec, State::kPaused);
  ASSERT_TRUE(Start(false).has_value());
  EXPECT_EQ(supervisor_->Get("p", 10)->state, State::kPaused);
  ASSERT_TRUE(supervisor_->Apply("p", Command::kStart).has_value());
  EXPECT_EQ(Await("p", State::kFailed).state, State::kFailed);
}

TEST_F(SupervisorTest, SettingsThatCannotBeReadFailThePipeAlone) {
  auto odd = nlohmann::json::parse(kSpec);
  odd["name"] = "odd";
  odd["colour"] = "red";
  AddPipe("odd", odd.dump(), State::kSetup);
  FinishSetup("odd");
  ASSERT_TRUE(Start(true).has_value());
  EXPECT_EQ(supervisor_->Get("odd", 10)->spec.name, "odd");
  ASSERT_TRUE(supervisor_->Apply("odd", Command::kStart).has_value());
  EXPECT_THAT(Await("odd", State::kFailed).reason, HasSubstr("colour"));
  EXPECT_TRUE(supervisor_->Delete("odd", false, {}).has_value());
}

TEST_F(SupervisorTest, ADeletedPipeIsKeptForAProcessThatHasItsDestination) {
  AddPipe("p", kSpec, State::kSetup);
  FinishSetup("p");
  ASSERT_TRUE(Start(false).has_value());
  ASSERT_TRUE(supervisor_->Delete("p", true, {}).has_value());
  EXPECT_EQ(supervisor_->Delete("p", true, {}).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(supervisor_->List().empty());
  ASSERT_TRUE(Start(false).has_value());
  EXPECT_TRUE(supervisor_->List().empty());
  ASSERT_EQ(catalog_->DeletedPipes()->size(), 1U);
  ASSERT_EQ(catalog_->Removals("p")->size(), 1U);
  EXPECT_EQ(catalog_->Removals("p")->at(0).target, "orders");
  EXPECT_TRUE(catalog_->Removals("p")->at(0).drop_target);
}

TEST_F(SupervisorTest, EveryTransitionHasAReason) {
  AddPipe("p", kSpec, State::kProvisioning);
  ASSERT_TRUE(Start(true).has_value());  // nobody answers: it stays in Provisioning
  ASSERT_TRUE(supervisor_->Apply("p", Command::kStop).has_value());
  Await("p", State::kPaused);
  ASSERT_TRUE(supervisor_->Apply("p", Command::kStart).has_value());
  const auto transitions = *catalog_->Transitions("p", 10);
  EXPECT_EQ(transitions.size(), 4U);
  for (const auto& transition : transitions) EXPECT_NE(transition.reason, "") << transition.to;
}

}  // namespace
}  // namespace penstock::pipe
