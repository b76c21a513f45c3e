#include "pipe/table_retry.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <semaphore>

#include "base/random.h"
#include "pipe/flow_parts.h"

namespace penstock::pipe {
namespace {

model::Position Upto(const char* numbers) {
  model::Position position;
  position.mechanism = model::Mechanism::kMysqlGtid;
  position.mysql =
      model::MysqlGtidSet::Parse(std::string("3e11fa47-71ca-11e1-9e33-c80aa9429562:") + numbers)
          .value();
  return position;
}

TEST(FollowedFrom, WhatIsThereAlreadyIsNotWrittenAgain) {
  catalog::TableRecord table;
  EXPECT_EQ(FollowedFrom(table, Upto("1-10")).start, Upto("1-10"));
  table.start = Upto("1-5:12");  // of a load, or of an insert that was found
  EXPECT_EQ(FollowedFrom(table, Upto("1-10")).start, Upto("1-10:12"));
  table.start->mechanism = model::Mechanism::kFile;  // of another time
  EXPECT_EQ(FollowedFrom(table, Upto("1-10")).start, Upto("1-10"));
}

TEST(FollowedFrom, APartCountsUntilItsTransactionIsPassed) {
  catalog::TableRecord table;
  table.start_part = model::TransactionPart{.read_to = Upto("1-11"), .rows = 3};
  EXPECT_EQ(FollowedFrom(table, Upto("1-10")).start_part, table.start_part);
  EXPECT_FALSE(FollowedFrom(table, Upto("1-11")).start_part);
  EXPECT_FALSE(FollowedFrom(table, Upto("1-20")).start_part);
}

// What was sent may have been more, and a retry be ahead of the stream.
TEST(PartAfter, IsOfTheOpenTransactionAlone) {
  const auto begins_with = [](const catalog::Checkpoint& checkpoint) {
    return PartAfter(checkpoint, 7)->read_to;
  };
  catalog::Checkpoint checkpoint;
  checkpoint.position = Upto("1-10");
  checkpoint.sent = catalog::Sent{.read_to = Upto("1-20"), .table_ids = {7}};
  EXPECT_FALSE(PartAfter(checkpoint, 7));
  checkpoint.open = {.gtid = Upto("11").ToString(), .tables = {{.table_id = 7, .rows = 3}}};
  EXPECT_EQ(PartAfter(checkpoint, 7)->rows, 3);
  EXPECT_FALSE(PartAfter(checkpoint, 8));
  EXPECT_EQ(begins_with(checkpoint), Upto("1-11"));
  checkpoint.position.mechanism = model::Mechanism::kMariadbGtid;
  checkpoint.open.gtid = "0-1-11";
  EXPECT_EQ(begins_with(checkpoint).mariadb.ToString(), "0-1-11");
  checkpoint.position.mechanism = model::Mechanism::kFile;
  checkpoint.position.offset = 400;
  EXPECT_EQ(begins_with(checkpoint).offset, 401);
}

class PatientClock final : public Clock {
 public:
  SteadyTime Steady() const override { return SteadyTime(std::chrono::hours(1)); }
  UnixMicros Wall() const override { return UnixMicros(1); }
  bool Wait(std::chrono::milliseconds duration, std::stop_token) override {
    waited += duration;
    return true;
  }
  std::chrono::milliseconds waited{};
};

// Two tables whose retry is on record; a session of the first cannot begin, and never will.
class FailedRetry : public testing::Test {
 protected:
  FailedRetry() : folder_(std::filesystem::temp_directory_path() / ("penstock-" + RandomUuid())) {
    catalog_ =
        *catalog::Catalog::Open({.data_dir = folder_, .secret_key_file = {}, .clock = &clock_});
    catalog::PipeRecord pipe{};
    pipe.id = "p";
    EXPECT_TRUE(catalog_->CreatePipe(pipe));
    catalog::Checkpoint start;
    start.position = Upto("1-10");
    std::vector<catalog::TableRecord> tables(2);
    tables[0].quarantine = tables[1].quarantine = catalog::Quarantine{Upto("1-10"), "", {}};
    EXPECT_TRUE(catalog_->FinishSetup("p", tables, start, {}));
    EXPECT_TRUE(catalog_->WantRetry("p", {tables[0].id, tables[1].id}, {}));
    tables = *catalog_->Tables("p");
    journal_.emplace(Journal::Options{.catalog = catalog_.get(),
                                      .clock = &clock_,
                                      .pipe_id = "p",
                                      .checkpoint = start,
                                      .tables = tables,
                                      .changes = {}});
  }
  ~FailedRetry() override {
    catalog_.reset();
    std::filesystem::remove_all(folder_);
  }
  // Before that its plan fails by each of the errors. Until it asks for a rest; answers what it
  // shows.
  std::vector<std::string> Run(std::vector<Error> errors) {
    std::vector<std::string> shown;
    std::counting_semaphore<2> rested(0);
    stream::StreamOptions stream;
    stream.clock = &clock_;
    stream.on_insert_retry = [&](const Error* error) { inserts_over_ += error == nullptr; };
    stream.on_reread_retry = [&](const Error* error) { rereads_over_ += error == nullptr; };
    stream.on_log_retry = [&](const Error* error) { shown.push_back(error ? error->message : ""); };
    const auto plan = [&, next = size_t{0}](auto) mutable -> Result<TableRetry::Plan> {
      if (next < errors.size()) return Fail(errors[next++]);
      return TableRetry::Plan{
          .tables = {stream::StreamTable()}, .retried = {0}, .from = Upto("1-10")};
    };
    TableRetry retry({.stream = std::move(stream),
                      .plan = plan,
                      .journal = &*journal_,
                      .rest = [&] { rested.release(); },
                      .stop = {}});
    EXPECT_TRUE(rested.try_acquire_for(std::chrono::seconds(20))) << "asks for no rest";
    EXPECT_FALSE(retry.asked());
    return shown;
  }
  bool IsRetrying(size_t table) { return catalog_->Tables("p")->at(table).quarantine->retrying; }

  const std::filesystem::path folder_;
  PatientClock clock_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::optional<Journal> journal_;
  int inserts_over_ = 0;
  int rereads_over_ = 0;
};

TEST_F(FailedRetry, TakesWithItWhatItRetried) {
  Run({});
  EXPECT_EQ(inserts_over_, 1);
  EXPECT_EQ(rereads_over_, 1);
}

TEST_F(FailedRetry, ForGoodMakesRoomForTheNext) {
  EXPECT_EQ(Run({}), std::vector<std::string>{""});
  EXPECT_FALSE(IsRetrying(0));
  EXPECT_TRUE(IsRetrying(1));
  EXPECT_EQ(clock_.waited.count(), 0);
}

TEST_F(FailedRetry, ForAWhileIsShownAndTriedAgainBesideTheStream) {
  const std::vector<Error> errors = {{.code = ErrorCode::kExhausted, .message = "full"},
                                     {.code = ErrorCode::kNeedsUser, .message = "refused"}};
  EXPECT_EQ(Run(errors), (std::vector<std::string>{"full", "refused", ""}));
  EXPECT_GT(clock_.waited, std::chrono::seconds(1));
  EXPECT_FALSE(IsRetrying(0));
}

}  // namespace
}  // namespace penstock::pipe
