#include "model/table.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace penstock::model {
namespace {

Table MakeTable() {
  Column id;
  id.name = "id";
  id.type = SqlType::kBigInt;
  id.type_text = "bigint";
  id.nullable = false;
  Column kind;
  kind.name = "kind";
  kind.type = SqlType::kEnum;
  kind.type_text = "enum('a','bc')";
  kind.charset = "utf8mb4";
  kind.collation = "utf8mb4_bin";
  kind.labels = {"a", "bc"};
  return {.name = {"shop", "orders"},
          .engine = "InnoDB",
          .columns = {id, kind},
          .key = {0},
          .key_is_primary = true};
}

// Each a change of one thing that a definition holds.
std::vector<std::function<void(Table&)>> AllChanges() {
  return {
      [](Table&) {},
      [](Table& t) { t.name.schema = "shopo"; },
      [](Table& t) {
        t.name = {"shopo", "rders"};
      },
      [](Table& t) { t.key = {1}; },
      [](Table& t) { t.key = {}; },
      [](Table& t) {
        t.key = {0, 1};
      },
      [](Table& t) { t.key_is_primary = false; },
      [](Table& t) { t.columns.pop_back(); },
      [](Table& t) { std::swap(t.columns[0], t.columns[1]); },
      [](Table& t) { t.columns[0].name = "ID"; },
      [](Table& t) { t.columns[0].type = SqlType::kInt; },
      [](Table& t) { t.columns[0].type_text = "bigint(20)"; },
      [](Table& t) { t.columns[0].is_unsigned = true; },
      [](Table& t) { t.columns[0].nullable = true; },
      [](Table& t) { t.columns[0].precision = 1; },
      [](Table& t) { t.columns[0].scale = 1; },
      [](Table& t) { t.columns[0].length = 1; },
      [](Table& t) { t.columns[0].compressed = true; },
      [](Table& t) { t.columns[0].in_log = false; },
      [](Table& t) { t.hidden_columns = 1; },
      [](Table& t) { t.columns[1].charset = "latin1"; },
      [](Table& t) { t.columns[1].collation = "utf8mb4_general_ci"; },
      [](Table& t) {
        t.columns[1].labels = {"ab", "c"};
      },
      [](Table& t) {
        t.columns[1].labels = {"a", "b", "c"};
      },
      [](Table& t) {
        t.columns[1].labels = {"bc", "a"};
      },
  };
}

TEST(Fingerprint, DiffersWithEveryPartOfTheDefinition) {
  std::set<std::string> fingerprints;
  const auto changes = AllChanges();
  for (const auto& change : changes) {
    Table table = MakeTable();
    change(table);
    fingerprints.insert(Fingerprint(table));
  }
  EXPECT_EQ(fingerprints.size(), changes.size());
}

TEST(Fingerprint, IsTheSameWithAnotherEngineOrUniqueKey) {
  Table table = MakeTable();
  table.engine = "Aria";
  EXPECT_EQ(Fingerprint(table), Fingerprint(MakeTable()));
  table.key_is_primary = false;
  const std::string without_primary = Fingerprint(table);
  table.key = {1};
  EXPECT_EQ(Fingerprint(table), without_primary);
}

TEST(RemoveAdded, LeavesWhatElseWasDone) {
  const Table before = MakeTable();
  Table now = before;
  Column added;
  added.name = "added";
  now.columns.insert(now.columns.begin(), added);
  now.columns.push_back(added);
  now.key = {1};
  RemoveAdded(before, now);
  EXPECT_EQ(now, before);
  now.columns[1].labels.emplace_back("d");
  RemoveAdded(before, now);
  EXPECT_NE(Fingerprint(now), Fingerprint(before));
  now = before;
  now.columns.insert(now.columns.begin(), added);
  now.key = {0, 1};
  RemoveAdded(before, now);
  EXPECT_NE(Fingerprint(now), Fingerprint(before));
}

TEST(RemoveAdded, ACollationThatIsNotKnown) {
  Table before = MakeTable();
  before.columns[1].collation.clear();
  Table now = MakeTable();
  RemoveAdded(before, now);
  EXPECT_EQ(Fingerprint(now), Fingerprint(before));
}

// Fingerprints are kept in the catalog: another program version must find the same.
TEST(Fingerprint, IsStable) {
  EXPECT_EQ(Fingerprint(MakeTable()), "714dfe3d7400dc614c2e8155cfc48f38");
}

TEST(SqlTypeName, EachTypeHasItsOwn) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(SqlType::kUnsupported); ++i) {
    names.insert(SqlTypeName(static_cast<SqlType>(i)));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(SqlType::kUnsupported) + 1);
}

}  // namespace
}  // namespace penstock::model
