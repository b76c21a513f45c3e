#include "pipe/table_retry.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace penstock::pipe
