#include "stream/prepared_transactions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "base/random.h"

namespace penstock::stream {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// Follows shop.a and shop.b; a transaction of one row of `text` in shop.a, shop.b or elsewhere.
class PreparedTransactionsTest : public testing::Test {
 protected:
  PreparedTransactionsTest()
      : folder_(fs::temp_directory_path() / ("penstock-prepared-" + RandomUuid())) {
    Open({});
  }
  ~PreparedTransactionsTest() override { fs::remove_all(folder_); }

  void Open(const std::vector<model::PreparedTransaction>& known,
            uint64_t memory_bytes_max = 1000) {
    prepared_ = std::make_unique<PreparedTransactions>(
        PreparedTransactions::Options{.folder = folder_, .memory_bytes_max = memory_bytes_max},
        known, std::set<model::TableName>{{"shop", "a"}, {"shop", "b"}});
  }

  void Row(std::string_view table, std::string_view text) {
    static constexpr std::array<uint16_t, 2> kMetadata{20, 0};
    static constexpr std::array<uint8_t, 2> kUnsigned{0, 1};
    static constexpr std::array<std::string_view, 2> kNames{"k", "v"};
    ASSERT_TRUE(prepared_->Hold(binlog::TableMap{.table_id = 7,
                                                 .schema = "shop",
                                                 .table = table,
                                                 .types = "\xf\3",
                                                 .metadata = kMetadata,
                                                 .nullable = std::string_view("\0", 1),
                                                 .is_unsigned = kUnsigned,
                                                 .names = kNames}));
    ASSERT_TRUE(prepared_->Hold(binlog::Rows{.kind = binlog::RowsKind::kUpdate,
                                             .table_id = 7,
                                             .statement_end = true,
                                             .column_count = 2,
                                             .present = "\3",
                                             .present_after = "\1",
                                             .partial_json = true,
                                             .data = text}));
  }
  void Prepare(const std::string& xid, std::string_view table, std::string_view text) {
    prepared_->Begin();
    Row(table, text);
    prepared_->Prepare(xid);
  }
  // "TABLE: TEXT" of each row; the error's text where it fails.
  std::vector<std::string> Read(const std::string& xid) {
    HeldEventsReader reader(prepared_->Find(xid)->events);
    std::vector<std::string> rows;
    while (true) {
      const auto event = reader.Next();
      if (!event) {
        rows.push_back(event.error().message);
        return rows;
      }
      if (const auto* map = std::get_if<binlog::TableMap>(&*event)) {
        EXPECT_EQ(map->types, "\xf\3");
        EXPECT_THAT(map->metadata, ElementsAre(20, 0));
        EXPECT_THAT(map->is_unsigned, ElementsAre(0, 1));
        EXPECT_THAT(map->names, ElementsAre("k", "v"));
        rows.push_back(std::string(map->table) + ": ");
      } else if (const auto* held = std::get_if<binlog::Rows>(&*event)) {
        EXPECT_EQ(held->kind, binlog::RowsKind::kUpdate);
        EXPECT_TRUE(held->statement_end && held->partial_json);
        EXPECT_EQ(held->present, "\3");
        EXPECT_EQ(held->present_after, "\1");
        rows.back() += held->data;
      } else {
        return rows;
      }
    }
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder_, none))
      files.push_back(entry.path().filename());
    return files;
  }

  const fs::path folder_;
  std::unique_ptr<PreparedTransactions> prepared_;
};

TEST_F(PreparedTransactionsTest, OnlyChangesOfTablesThatAreFollowedAreHeld) {
  prepared_->Begin();
  Row("a", "one");
  Row("elsewhere", "two");
  Row("b", "three");
  prepared_->Prepare("x");
  EXPECT_THAT(Read("x"), ElementsAre("a: one", "b: three"));
  Prepare("y", "elsewhere", "four");
  EXPECT_THAT(Read("y"), IsEmpty());
  EXPECT_EQ(prepared_->Find("z"), nullptr);
  EXPECT_THAT(Files(), IsEmpty()) << "so few are in memory";
}

TEST_F(PreparedTransactionsTest, WhatIsSecuredIsThereForTheNextProcess) {
  Prepare("x", "a", "one");
  Prepare("y", "elsewhere", "two");
  ASSERT_TRUE(prepared_->Secure());
  const auto list = prepared_->list();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_THAT(Files(), ElementsAre(list[0].file));
  EXPECT_EQ(list[1].file, "");
  Prepare("z", "a", "three");  // its checkpoint never comes
  ASSERT_TRUE(prepared_->Secure());
  prepared_->End("x");  // nor that of this
  Open(list);
  EXPECT_EQ(prepared_->list(), list);
  EXPECT_THAT(Read("x"), ElementsAre("a: one"));
  EXPECT_THAT(Read("y"), IsEmpty());
  EXPECT_EQ(prepared_->Find("z"), nullptr);
  EXPECT_THAT(Files(), ElementsAre(list[0].file));
  Prepare("z", "b", "four");
  ASSERT_TRUE(prepared_->Secure());
  EXPECT_THAT(Files(), UnorderedElementsAre(list[0].file, prepared_->list()[2].file));
}

TEST_F(PreparedTransactionsTest, FilesEndWithTheirTransactions) {
  Prepare("x", "a", "one");
  ASSERT_TRUE(prepared_->Secure());
  const std::string first = prepared_->list()[0].file;
  EXPECT_THAT(prepared_->TakeEnded(), IsEmpty());
  Prepare("x", "b", "again");  // the id is used again: the end of the first was not logged
  EXPECT_THAT(prepared_->TakeEnded(), ElementsAre(first));
  EXPECT_THAT(Read("x"), ElementsAre("b: again"));
  prepared_->End("x");
  EXPECT_THAT(prepared_->TakeEnded(), IsEmpty()) << "it was in memory";
  EXPECT_THAT(prepared_->list(), IsEmpty());
}

TEST_F(PreparedTransactionsTest, LargeOnesAreSpilled) {
  const std::string large(700, 'l');
  prepared_->Begin();
  Row("a", large);
  EXPECT_THAT(Files(), IsEmpty());
  Row("b", large);
  ASSERT_EQ(Files().size(), 1U);
  Row("a", "small");
  prepared_->Prepare("x");
  const std::vector<std::string> rows = {"a: " + large, "b: " + large, "a: small"};
  EXPECT_EQ(Read("x"), rows) << "a part of it is in memory";
  ASSERT_TRUE(prepared_->Secure());
  EXPECT_EQ(Read("x"), rows);
  const auto list = prepared_->list();
  Open(list);
  EXPECT_EQ(Read("x"), rows);
  prepared_->Begin();
  Row("a", large);
  Row("a", large);
  prepared_->Drop();
  EXPECT_EQ(prepared_->TakeEnded().size(), 1U) << "it was undone";
}

// Batches are taken while it is replayed.
TEST_F(PreparedTransactionsTest, WhatIsReadMayMoveToTheFileMeanwhile) {
  for (const uint64_t memory : {100000U, 200U}) {
    Open({}, memory);
    prepared_->Begin();
    for (const char* const text : {"one", "two", "three"}) Row("a", text);
    prepared_->Prepare("x");
    HeldEventsReader reader(prepared_->Find("x")->events);
    std::string texts;
    for (int event = 0; event < 6; ++event) {
      const auto read = reader.Next();
      ASSERT_TRUE(read) << read.error().message;
      if (const auto* rows = std::get_if<binlog::Rows>(&*read)) texts += rows->data;
      const bool secured = event != 2 || prepared_->Secure();
      ASSERT_TRUE(secured);
    }
    EXPECT_EQ(texts, "onetwothree");
  }
}

TEST_F(PreparedTransactionsTest, SavepointsCutMemoryAndFile) {
  for (const uint64_t memory : {100000U, 10U}) {
    Open({}, memory);
    prepared_->Begin();
    Row("a", "one");
    prepared_->SetSavepoint("s");
    Row("a", "undone");
    prepared_->SetSavepoint("later");
    Row("b", "undone");
    EXPECT_TRUE(*prepared_->RollbackTo("s"));
    EXPECT_FALSE(*prepared_->RollbackTo("later"));
    Row("b", "two");
    EXPECT_TRUE(*prepared_->RollbackTo("s"));
    Row("b", "three");
    prepared_->Prepare("x");
    EXPECT_THAT(Read("x"), ElementsAre("a: one", "b: three")) << memory;
    ASSERT_TRUE(prepared_->Secure());
    EXPECT_THAT(Read("x"), ElementsAre("a: one", "b: three")) << memory;
  }
}

TEST_F(PreparedTransactionsTest, AnEmptiedTableIsForgotten) {
  prepared_->Begin();
  Row("a", "one");
  Row("b", "two");
  prepared_->Prepare("x");
  prepared_->Forget({"shop", "a"});
  EXPECT_THAT(prepared_->list()[0].tables, ElementsAre(model::TableName{"shop", "b"}));
}

TEST_F(PreparedTransactionsTest, DamageIsSeen) {
  const std::pair<std::string_view, std::function<void(const fs::path&)>> cases[] = {
      {"cannot be read", [](const fs::path& file) { fs::remove(file); }},
      {"cut short", [](const fs::path& file) { fs::resize_file(file, fs::file_size(file) - 1); }},
      {"damaged",
       [](const fs::path& file) { std::fstream(file).seekp(-2, std::ios::end).put('x'); }},
      {"cut short", [](const fs::path& file) { std::fstream(file).seekp(7).put('\x7f'); }}};
  for (const auto& [what, damage] : cases) {
    Open({});
    Prepare("x", "a", "one");
    ASSERT_TRUE(prepared_->Secure());
    const auto list = prepared_->list();
    damage(folder_ / list[0].file);
    Open(list);
    EXPECT_THAT(Read("x").back(), HasSubstr(what));
  }
}

TEST_F(PreparedTransactionsTest, AFolderThatCannotBeWrittenIsTold) {
  std::ofstream(folder_.string()) << "a file in its place";
  Prepare("x", "a", "one");
  const Status secured = prepared_->Secure();
  ASSERT_FALSE(secured);
  EXPECT_EQ(secured.error().code, ErrorCode::kNeedsUser);
  EXPECT_FALSE(secured.error().remedy.empty());
}

}  // namespace
}  // namespace penstock::stream
