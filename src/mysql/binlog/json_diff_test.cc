#include "mysql/binlog/json_diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "mysql/binlog/json_binary.h"

// Differences that a real server wrote are in row_image_test.cc (mysql97-json-partial); here are
// those that no server writes, and the limits.
namespace penstock::binlog {
namespace {

using std::string_view_literals::operator""sv;
using testing::HasSubstr;

enum Operation : char { kReplace = 0, kInsert = 1, kRemove = 2 };

// A document, an array or object, of members that are documents themselves.
using Members = std::vector<std::pair<std::string, std::string>>;

std::string Number(uint64_t number, size_t width) {
  std::string bytes;
  for (size_t i = 0; i < width; ++i) bytes += static_cast<char>(number >> (8 * i) & 0xff);
  return bytes;
}

std::string Int(int number) { return "\x05" + Number(static_cast<uint64_t>(number), 2); }

// In the large form; objects take their members in MySQL's order.
std::string Container(bool object, const Members& members) {
  constexpr size_t kWidth = 4;
  const size_t keys_at = 2 * kWidth + members.size() * (object ? 6 + 5 : 5);
  std::string keys;
  std::string values;
  size_t key_bytes = 0;
  for (const auto& [key, value] : members) key_bytes += object ? key.size() : 0;
  std::string key_entries;
  std::string value_entries;
  for (const auto& [key, value] : members) {
    if (object) {
      key_entries += Number(keys_at + keys.size(), kWidth) + Number(key.size(), 2);
      keys += key;
    }
    value_entries += value[0];
    if (value[0] == kInt16) {
      value_entries += value.substr(1) + Number(0, 2);
    } else {
      value_entries += Number(keys_at + key_bytes + values.size(), kWidth);
      values += value.substr(1);
    }
  }
  const std::string body = key_entries + value_entries + keys + values;
  return std::string(1, static_cast<char>(object ? kLargeObject : kLargeArray)) +
         Number(members.size(), kWidth) + Number(2 * kWidth + body.size(), kWidth) + body;
}

std::string Array(const std::vector<std::string>& values) {
  Members members;
  for (const std::string& value : values) members.emplace_back("", value);
  return Container(false, members);
}

std::string Object(const Members& members) { return Container(true, members); }

std::string Difference(Operation operation, const std::string& path,
                       const std::string& value = "") {
  const auto counted = [](const std::string& bytes) {
    return "\xfc" + Number(bytes.size(), 2) + bytes;
  };
  return std::string(1, operation) + counted(path) + (operation == kRemove ? "" : counted(value));
}

std::string Patch(JsonPatcher& patcher, std::string_view document, std::string_view differences) {
  std::string text;
  const Status status = patcher.AppendText(document, differences, text);
  if (status) return text;
  EXPECT_EQ(status.error().code, ErrorCode::kBadData);
  return status.error().message;
}

std::string Patch(std::string_view document, std::string_view differences) {
  JsonPatcher patcher;
  return Patch(patcher, document, differences);
}

const std::string& Sample() {
  static const std::string sample =
      Object({{"a", Array({Int(1), Int(2), Int(3)})}, {"b", Int(4)}, {"cc", Object({})}});
  return sample;
}

TEST(JsonDiff, NoDifferencesChangeNothing) {
  EXPECT_EQ(Patch(Sample(), ""), R"({"a": [1, 2, 3], "b": 4, "cc": {}})");
  EXPECT_EQ(Patch("", ""), "null");
}

TEST(JsonDiff, AppendsToTheText) {
  std::string text = "before ";
  JsonPatcher patcher;
  ASSERT_TRUE(patcher.AppendText(Sample(), Difference(kReplace, "$.a", Int(7)), text));
  EXPECT_EQ(text, R"(before {"a": 7, "b": 4, "cc": {}})");
}

TEST(JsonDiff, ObjectsKeepTheirOrder) {
  EXPECT_EQ(
      Patch(Sample(), Difference(kInsert, "$.cb", Int(1)) + Difference(kInsert, "$.B", Int(2)) +
                          Difference(kInsert, "$.ab\u00e9", Int(3)) +
                          Difference(kInsert, "$.\"\"", Int(4)) +
                          Difference(kInsert, "$.cc.x", Int(5)) + Difference(kRemove, "$.b")),
      R"({"": 4, "B": 2, "a": [1, 2, 3], "cb": 1, "cc": {"x": 5}, "abé": 3})");
}

TEST(JsonDiff, ArraysAreCountedFromBothEnds) {
  EXPECT_EQ(Patch(Sample(),
                  Difference(kInsert, "$.a[1]", Int(10)) + Difference(kInsert, "$.a[99]", Int(11)) +
                      Difference(kInsert, "$.a[last-99]", Int(12)) +
                      Difference(kInsert, "$.a[last]", Int(13)) +
                      Difference(kReplace, "$.a[last-1]", Int(14)) + Difference(kRemove, "$.a[2]")),
            R"({"a": [12, 1, 2, 3, 14, 11], "b": 4, "cc": {}})");
  EXPECT_EQ(
      Patch(Array({}), Difference(kInsert, "$[0]", Int(1)) +
                           Difference(kInsert, "$[last]", Int(2)) + Difference(kRemove, "$[1]")),
      "[2]");
}

TEST(JsonDiff, TheRootCanBeReplaced) {
  EXPECT_EQ(
      Patch(Sample(), Difference(kRemove, "$.a") + Difference(kReplace, "$", Array({Int(1)})) +
                          Difference(kInsert, "$[1]", Int(2))),
      "[1, 2]");
}

TEST(JsonDiff, WhatWasInsertedCanBeChanged) {
  EXPECT_EQ(Patch(Sample(), Difference(kInsert, "$.n", Object({{"x", Array({Int(1)})}})) +
                                Difference(kInsert, "$.n.x[1]", Int(2)) +
                                Difference(kReplace, "$.n.x[0]", Object({})) +
                                Difference(kInsert, "$.n.x[0].\"\\n\"", Int(3))),
            R"({"a": [1, 2, 3], "b": 4, "n": {"x": [{"\n": 3}, 2]}, "cc": {}})");
}

TEST(JsonDiff, AMisfitIsRefused) {
  for (const std::string& differences : {Difference(kReplace, "$.x", Int(1)),
                                         Difference(kReplace, "$.a[3]", Int(1)),
                                         Difference(kReplace, "$.a.x", Int(1)),
                                         Difference(kReplace, "$[0]", Int(1)),
                                         Difference(kReplace, "$.b[0]", Int(1)),
                                         Difference(kReplace, "$.x.y", Int(1)),
                                         Difference(kReplace, "$.a[last-3]", Int(1)),
                                         Difference(kInsert, "$.b", Int(1)),
                                         Difference(kInsert, "$", Int(1)),
                                         Difference(kInsert, "$[0]", Int(1)),
                                         Difference(kInsert, "$.b.c", Int(1)),
                                         Difference(kRemove, "$"),
                                         Difference(kRemove, "$.x"),
                                         Difference(kRemove, "$.a[3]"),
                                         Difference(kRemove, "$.cc.x"),
                                         Difference(kRemove, "$.b") + Difference(kRemove, "$.b"),
                                         Difference(kReplace, "x", Int(1)),
                                         Difference(kReplace, "", Int(1)),
                                         Difference(kReplace, "$.a[", Int(1)),
                                         Difference(kReplace, "$.a[x].b", Int(1))}) {
    EXPECT_THAT(Patch(Sample(), differences), HasSubstr("does not fit")) << differences;
  }
}

TEST(JsonDiff, MalformedDifferencesAreRefused) {
  const std::string whole = Difference(kReplace, "$.b", Int(1));
  for (size_t length = 1; length < whole.size(); ++length) {
    EXPECT_THAT(Patch(Sample(), whole.substr(0, length)), HasSubstr("malformed"));
  }
  EXPECT_THAT(Patch(Sample(), Difference(static_cast<Operation>(3), "$.b", Int(1))),
              HasSubstr("malformed"));
  EXPECT_THAT(Patch(Sample(), Difference(kReplace, "$.b", "")), HasSubstr("malformed"));
  EXPECT_THAT(Patch(Sample(), "\x00\xff"sv), HasSubstr("malformed"));
  EXPECT_THAT(Patch(Sample(), Difference(kReplace, "$.b", "\x05")), HasSubstr("malformed"));
  EXPECT_THAT(Patch("\xff"sv, Difference(kReplace, "$.b", Int(1))), HasSubstr("does not fit"));
  EXPECT_THAT(Patch("\x02\x01\x00\xff\x00"sv, Difference(kReplace, "$[0]", Int(1))),
              HasSubstr("does not fit"));
}

TEST(JsonDiff, NestingIsLimited) {
  std::string document = Array({});
  std::string path = "$";
  for (int i = 1; i < kJsonDepthMax; ++i) {
    document = Array({document});
    path += "[0]";
  }
  EXPECT_EQ(Patch(document, Difference(kInsert, path + "[0]", Int(1))),
            std::string(100, '[') + "1" + std::string(100, ']'));
  EXPECT_THAT(Patch(document, Difference(kInsert, path + "[0]", Array({}))),
              HasSubstr("malformed"));
  EXPECT_THAT(Patch(document, Difference(kInsert, path + "[0]", Array({})) +
                                  Difference(kInsert, path + "[0][0]", Int(1))),
              HasSubstr("too deeply"));
}

// Two members of an array that are one and the same large array: opening both would count its
// entries twice.
TEST(JsonDiff, SharedBytesAreRefused) {
  const std::string inner = Array(std::vector<std::string>(1'000, Int(1)));
  std::string document = Array({Array({}), inner});
  const size_t first_offset = 1 + 8 + 1;
  document.replace(first_offset, 4, document, first_offset + 5, 4);
  EXPECT_THAT(Patch(document, Difference(kRemove, "$[0][0]") + Difference(kRemove, "$[1][0]")),
              HasSubstr("share bytes"));
  EXPECT_THAT(Patch(document, Difference(kRemove, "$[0][0]")), HasSubstr("malformed"));
}

// The pieces of an array are passed one by one; what would take quadratic time is refused, and a
// thousand edits are not yet that.
TEST(JsonDiff, WorkIsLimited) {
  const auto remove_every_second = [](int count) {
    std::string differences;
    for (int i = 0; i < count; ++i) differences += Difference(kRemove, fmt::format("$[{}]", i + 1));
    return Patch(Array(std::vector<std::string>(static_cast<size_t>(2 * count), Int(1))),
                 differences);
  };
  EXPECT_THAT(remove_every_second(1'000), HasSubstr("[1, 1, "));
  EXPECT_THAT(remove_every_second(20'000), HasSubstr("too much work"));
}

TEST(JsonDiff, ManyMembersOfAnObjectAreFound) {
  Members members;
  std::string differences;
  for (int i = 10'000; i < 30'000; ++i) members.emplace_back(fmt::format("k{}", i), Int(1));
  for (int i = 10'000; i < 30'000; i += 2) {
    differences += Difference(kReplace, fmt::format("$.k{}", i), Int(2));
    differences += Difference(kRemove, fmt::format("$.k{}", i + 1));
  }
  const std::string text = Patch(Object(members), differences);
  EXPECT_THAT(text, HasSubstr(R"({"k10000": 2, "k10002": 2, )"));
  EXPECT_EQ(text.size(), 10'000 * std::string_view(R"("k10000": 2, )").size());
}

TEST(JsonDiff, APatcherForgetsTheDocumentBefore) {
  JsonPatcher patcher;
  EXPECT_THAT(Patch(patcher, Sample(), Difference(kInsert, "$.b", Int(1))), HasSubstr("fit"));
  EXPECT_EQ(Patch(patcher, Sample(), Difference(kRemove, "$.\"\\u0061\"")),
            R"({"b": 4, "cc": {}})");
  EXPECT_EQ(Patch(patcher, Sample(), Difference(kReplace, "$.a[1]", Int(9))),
            R"({"a": [1, 9, 3], "b": 4, "cc": {}})");
}

}  // namespace
}  // namespace penstock::binlog
