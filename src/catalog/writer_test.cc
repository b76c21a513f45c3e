#include "catalog/writer.h"

#include <gtest/gtest.h>

#include <future>

#include "catalog/catalog_for_test.h"

namespace penstock::catalog {
namespace {

class WriterTest : public testing::Test {
 protected:
  WriterTest() {
    auto writing = Sqlite::Open(folder_.path() / "file");
    auto reading = Sqlite::Open(folder_.path() / "file");
    PENSTOCK_CHECK(writing.has_value() && reading.has_value());
    PENSTOCK_CHECK((*writing)->Script("CREATE TABLE t (a INTEGER PRIMARY KEY)").has_value());
    reading_ = *std::move(reading);
    writer_ = std::make_unique<Writer>(*std::move(writing));
  }
  int64_t Rows() { return **reading_->QueryInt("SELECT count(*) FROM t"); }

  // Holds the writer in a call until released, so that the calls made meanwhile form a group.
  std::future<Status> Hold(std::shared_future<void> released) {
    std::promise<void> held;
    std::future<void> is_held = held.get_future();
    auto call = std::async(std::launch::async, [this, released, &held] {
      bool first = true;
      return writer_->Write([&](Sqlite&) -> Status {
        if (std::exchange(first, false)) held.set_value();
        released.wait();
        return {};
      });
    });
    is_held.wait();
    return call;
  }
  std::future<Status> Insert(int64_t value) {
    return std::async(std::launch::async, [this, value] {
      return writer_->Write([&](Sqlite& database) -> Status {
        PENSTOCK_TRY(database.Run("INSERT INTO t VALUES (?)", {value}));
        return {};
      });
    });
  }

  TemporaryFolder folder_;
  std::unique_ptr<Sqlite> reading_;
  std::unique_ptr<Writer> writer_;
};

TEST_F(WriterTest, OneThatFailsTakesBackOnlyItself) {
  std::promise<void> release;
  std::future<Status> held = Hold(release.get_future().share());
  std::vector<std::future<Status>> calls;
  for (const int64_t value : {1, 2, 2, 3}) calls.push_back(Insert(value));
  release.set_value();
  int failed = 0;
  for (auto& call : calls) failed += call.get() ? 0 : 1;
  EXPECT_TRUE(held.get());
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(Rows(), 3);
}

// As a full disk does it: SQLite undoes the whole transaction in the middle of a group.
TEST_F(WriterTest, ABrokenGroupIsDoneCallByCall) {
  std::promise<void> release;
  std::future<Status> held = Hold(release.get_future().share());
  std::vector<std::future<Status>> calls;
  for (const int64_t value : {1, 2}) calls.push_back(Insert(value));
  std::future<Status> breaking = std::async(std::launch::async, [&] {
    return writer_->Write([](Sqlite& database) -> Status {
      PENSTOCK_TRY(database.Run("INSERT INTO t VALUES (7)"));
      PENSTOCK_TRY(database.Script("ROLLBACK"));
      return Fail(ErrorCode::kExhausted, "the disk is full");
    });
  });
  for (const int64_t value : {3, 4}) calls.push_back(Insert(value));
  release.set_value();
  for (auto& call : calls) EXPECT_TRUE(call.get());
  EXPECT_TRUE(held.get());
  EXPECT_EQ(breaking.get().error().code, ErrorCode::kExhausted);
  EXPECT_EQ(Rows(), 4);
}

TEST_F(WriterTest, WhatFailedLeavesNothing) {
  const Status status = writer_->Write([](Sqlite& database) -> Status {
    PENSTOCK_TRY(database.Run("INSERT INTO t VALUES (1)"));
    return Fail(ErrorCode::kConflict, "no");
  });
  EXPECT_EQ(status.error().code, ErrorCode::kConflict);
  EXPECT_EQ(Rows(), 0);
}

}  // namespace
}  // namespace penstock::catalog
