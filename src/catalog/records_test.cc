#include "catalog/records.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "catalog/catalog_for_test.h"

namespace penstock::catalog {
namespace {

TEST(Records, TablesOfEveryTypeComeBackEqual) {
  model::Table table = SomeTable("t").definition;
  for (int i = 0; i <= static_cast<int>(model::SqlType::kUnsupported); ++i) {
    model::Column column;
    column.name = fmt::format("c{}", i);
    column.type = static_cast<model::SqlType>(i);
    table.columns.push_back(column);
  }
  const Result<std::string> text = EncodeTable(table);
  ASSERT_TRUE(text);
  const Result<model::Table> decoded = DecodeTable(*text);
  ASSERT_TRUE(decoded) << decoded.error().ToString();
  EXPECT_EQ(*decoded, table);
}

TEST(Records, WhatFewColumnsHaveComesBackEqual) {
  model::Table table = SomeTable("t").definition;
  table.columns[0].compressed = true;
  table.columns[0].in_log = false;
  table.collation = "utf8mb4_bin";
  table.hidden_columns = 2;
  table.row_end = 3;
  const auto decoded = DecodeTable(*EncodeTable(table));
  ASSERT_TRUE(decoded) << decoded.error().ToString();
  EXPECT_EQ(*decoded, table);
}

// As older versions wrote them, without the fields of what they did not know.
TEST(Records, OlderRecordsAreRead) {
  const std::string text = *EncodeTable(SomeTable("t").definition);
  for (const char* field : {"compressed", "inLog", "hiddenColumns", "rowEnd"}) {
    EXPECT_EQ(text.find(field), std::string::npos) << field;
  }
  EXPECT_TRUE(DecodeTable(text));
}

TEST(Records, WhatIsNoTableIsRefused) {
  for (const char* text : {"", "{", "[]", "null", "{}", R"({"schema": 1})"}) {
    const Result<model::Table> decoded = DecodeTable(text);
    ASSERT_FALSE(decoded) << text;
    EXPECT_EQ(decoded.error().code, ErrorCode::kBadData);
  }
  std::string text = *EncodeTable(SomeTable("t").definition);
  const std::string key = "\"key\":[0]";
  ASSERT_NE(text.find(key), std::string::npos);
  EXPECT_FALSE(DecodeTable(text.replace(text.find(key), key.size(), "\"key\":[3]")));
}

TEST(Records, NamesThatAreNotUtf8AreRefused) {
  model::Table table = SomeTable("t").definition;
  table.columns[0].name = "\xff";
  EXPECT_EQ(EncodeTable(table).error().code, ErrorCode::kBadData);
}

TEST(Records, PreparedTransactionsComeBackEqual) {
  const std::vector<model::PreparedTransaction> prepared = {
      {.xid = "X'61',X'',1",
       .file = "7.events",
       .bytes = 70,
       .tables = {{"shop", "t"}, {"s.", "u"}}},
      {.xid = "X'62',X'',1", .file = "", .bytes = 0, .tables = {}}};
  EXPECT_EQ(*DecodePrepared(*EncodePrepared(prepared)), prepared);
  EXPECT_EQ(*EncodePrepared({}), "");
  EXPECT_TRUE(DecodePrepared("")->empty());
  EXPECT_EQ(DecodePrepared("{}[").error().code, ErrorCode::kBadData);
}

TEST(Records, BoundsOfAnyBytesComeBackEqual) {
  EXPECT_TRUE(rc::check([](const std::vector<std::string>& bounds) {
    const auto decoded = DecodeBounds(EncodeBounds(bounds));
    RC_ASSERT(decoded && *decoded == bounds);
  }));
}

TEST(Records, AnyBytesAreReadAsBoundsWithoutHarm) {
  EXPECT_TRUE(rc::check([](const std::string& bytes) {
    const auto decoded = DecodeBounds(bytes);
    if (decoded) RC_ASSERT(EncodeBounds(*decoded) == bytes);
  }));
  EXPECT_FALSE(DecodeBounds("\xff\xff\xff\xff"));
}

}  // namespace
}  // namespace penstock::catalog
