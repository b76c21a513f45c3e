#include "pipe/lost_transactions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::pipe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

model::Position Mysql(const std::string& numbers) {
  model::Position position;
  position.mechanism = model::Mechanism::kMysqlGtid;
  position.mysql =
      model::MysqlGtidSet::Parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:" + numbers).value();
  return position;
}

model::Position Mariadb(const char* gtids) {
  model::Position position;
  position.mechanism = model::Mechanism::kMariadbGtid;
  position.mariadb = model::MariadbGtidPosition::Parse(gtids).value();
  return position;
}

catalog::BatchRecord Batch(uint64_t number, std::vector<int64_t> tables, model::Position read) {
  catalog::BatchRecord batch{.number = number, .read = std::move(read)};
  for (const int64_t id : tables) batch.changes.push_back({.table_id = id});
  return batch;
}

TEST(TablesOfLost, ThoseOfBatchesWithALostTransaction) {
  const std::vector batches = {Batch(4, {1}, Mysql("31-40")), Batch(3, {2, 3}, Mysql("21-30")),
                               Batch(2, {4}, Mysql("11-20"))};
  EXPECT_THAT(TablesOfLost(batches, Mysql("1-40"), Mysql("1-28")), Optional(ElementsAre(1, 2, 3)));
  EXPECT_THAT(TablesOfLost(batches, Mysql("1-40"), Mysql("1-24:26-40")),
              Optional(ElementsAre(2, 3)));
  EXPECT_THAT(TablesOfLost(batches, Mysql("1-45"), Mysql("1-40")), Optional(IsEmpty()));
}

TEST(TablesOfLost, RecordsMayNotReachBack) {
  const auto first = Batch(1, {4}, Mysql("11-20"));
  const auto later = Batch(2, {4}, Mysql("11-20"));
  EXPECT_THAT(TablesOfLost({first}, Mysql("1-20"), Mysql("1-5")), Optional(ElementsAre(4)));
  EXPECT_EQ(TablesOfLost({later}, Mysql("1-20"), Mysql("1-5")), std::nullopt);
}

TEST(TablesOfLost, ByDomain) {
  const std::vector batches = {Batch(9, {1}, Mariadb("0-1-9")), Batch(8, {2}, Mariadb("1-1-5")),
                               Batch(7, {3}, Mariadb("0-1-7,1-1-4"))};
  EXPECT_THAT(TablesOfLost(batches, Mariadb("0-1-9,1-1-5"), Mariadb("0-1-8,1-1-5")),
              Optional(ElementsAre(1)));
  EXPECT_EQ(TablesOfLost(batches, Mariadb("0-1-9,1-1-5"), Mariadb("0-1-6,1-1-5")), std::nullopt);
}

// A checkpoint never goes on by it: it may be behind what the stream has read.
TEST(CommonPart, IsNoFurtherThanThePosition) {
  EXPECT_EQ(CommonPart(Mysql("1-20"), Mysql("1-15:17-30")), Mysql("1-15:17-20"));
  EXPECT_EQ(CommonPart(Mariadb("0-1-5,1-1-9"), Mariadb("0-1-8,1-1-7")), Mariadb("0-1-5,1-1-7"));
  EXPECT_EQ(CommonPart(Mariadb("0-1-5"), Mariadb("0-1-8,1-1-7")), Mariadb("0-1-5"));
  EXPECT_TRUE(IsWithin(Mysql("1-20"), Mysql("1-20")));
  EXPECT_FALSE(IsWithin(Mysql("1-20"), Mysql("1-19")));
  EXPECT_FALSE(IsWithin(Mariadb("0-1-5,1-1-9"), Mariadb("0-1-8,1-1-7")));
}

TEST(TablesOfLost, NothingOnRecordTellsNothing) {
  EXPECT_EQ(TablesOfLost({}, Mysql("1-20"), Mysql("1-5")), std::nullopt);
}

}  // namespace
}  // namespace penstock::pipe
