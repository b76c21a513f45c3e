#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stream/assembler.h"

namespace penstock::stream {

// A log about tables `shop.a` and `shop.b` (id INT PRIMARY KEY, v INT), written event by event.
class AssemblerTest : public testing::Test {
 protected:
  using RowsKind = binlog::RowsKind;

  AssemblerTest() { Follow({TableOf("a"), TableOf("b")}); }

  static StreamTable TableOf(const std::string& name) {
    StreamTable table;
    table.definition.name = {"shop", name};
    for (const char* column_name : {"id", "v"}) {
      model::Column column;
      column.name = column_name;
      column.type = model::SqlType::kInt;
      column.type_text = "int";
      column.nullable = false;
      table.definition.columns.push_back(column);
    }
    table.definition.key = {0};
    table.definition.key_is_primary = true;
    table.target = name;
    return table;
  }

  void Follow(std::vector<StreamTable> tables, OpenTransaction open = {},
              std::vector<model::PreparedTransaction> prepared = {},
              const std::filesystem::path& folder = {},
              model::Mechanism mechanism = model::Mechanism::kMysqlGtid,
              bool prepared_unknown = false) {
    model::Position start;
    start.mechanism = mechanism;
    start.file = "bin.000001";
    start.offset = 4;
    const auto reserve = [this]() -> Result<VersionRange> {
      reserved_ += 100;
      return VersionRange{reserved_ - 100, reserved_};
    };
    assembler_ = *Assembler::Make(std::move(tables),
                                  {.position = start,
                                   .open = std::move(open),
                                   .prepared = std::move(prepared),
                                   .prepared_unknown = prepared_unknown},
                                  reserve, {.folder = folder});
  }

  Status Feed(binlog::Body body) {
    end_offset_ += 100;
    return assembler_->Consume({.header = {.timestamp = 1'700'000'000,
                                           .type = 0,
                                           .server_id = 1,
                                           .size = 100,
                                           .end_offset = end_offset_,
                                           .flags = 0},
                                .body = std::move(body)});
  }
  Status Gtid(uint64_t number) {
    model::MysqlGtid gtid;
    gtid.uuid[15] = 1;
    gtid.number = number;
    return Feed(binlog::MysqlGtidEvent{.gtid = gtid, .commit_micros = 0});
  }
  Status Sql(std::string_view sql) { return Feed(binlog::Query{.schema = "shop", .sql = sql}); }
  Status Commit() { return Feed(binlog::Xid{}); }
  Status Map(uint64_t id, std::string_view table, size_t columns = 2,
             const std::vector<std::string_view>& names = {}) {
    static constexpr std::array<uint16_t, 4> kMetadata{};
    return Feed(binlog::TableMap{.table_id = id,
                                 .schema = "shop",
                                 .table = table,
                                 .types = std::string_view("\3\3\3\3", columns),
                                 .metadata = std::span(kMetadata).first(columns),
                                 .nullable = std::string_view("\0", 1),
                                 .is_unsigned = {},
                                 .names = names});
  }
  // Each image: {id, v}.
  Status Rows(RowsKind kind, uint64_t table_id, std::vector<std::array<int32_t, 2>> images,
              std::string_view present = "\3", std::string_view present_after = "\3") {
    std::string data;
    for (size_t i = 0; i < images.size(); ++i) {
      const bool is_after = kind == RowsKind::kUpdate && i % 2 == 1;
      data += '\0';
      for (size_t column = 0; column < 2; ++column) {
        if (((is_after ? present_after : present)[0] >> column & 1) == 0) continue;
        data.append(reinterpret_cast<const char*>(&images[i][column]), sizeof(int32_t));
      }
    }
    return Feed(binlog::Rows{.kind = kind,
                             .table_id = table_id,
                             .statement_end = true,
                             .column_count = 2,
                             .present = present,
                             .present_after = present_after,
                             .partial_json = false,
                             .data = data});
  }
  Status Begin(uint64_t gtid) {
    PENSTOCK_TRY(Gtid(gtid));
    PENSTOCK_TRY(Sql("BEGIN"));
    return Map(7, "a");
  }

  // "id=v" and, with a leading '-', deletions; in the order of the block.
  static std::vector<std::string> RowsOf(const Batch& batch, size_t table) {
    std::vector<std::string> rows;
    for (const TableRows& part : batch.tables) {
      if (part.table != table) continue;
      const auto& columns = part.block.columns;
      for (size_t i = 0; i < part.block.rows; ++i) {
        int32_t id = 0;
        int32_t v = 0;
        std::memcpy(&id, columns[0].values.data() + 4 * i, 4);
        std::memcpy(&v, columns[1].values.data() + 4 * i, 4);
        const bool deleted = columns[3].values.data()[i] != 0;
        rows.push_back(fmt::format("{}{}={}", deleted ? "-" : "", id, v));
      }
    }
    return rows;
  }
  static std::vector<uint64_t> VersionsOf(const Batch& batch) {
    std::vector<uint64_t> versions;
    for (const TableRows& part : batch.tables) {
      for (size_t i = 0; i < part.block.rows; ++i) {
        uint64_t version = 0;
        std::memcpy(&version, part.block.columns[2].values.data() + 8 * i, 8);
        versions.push_back(version);
      }
    }
    return versions;
  }
  // "shop.a before POSITION"
  std::vector<std::string> TakeFences() {
    std::vector<std::string> fences;
    for (const Fence& fence : assembler_->TakeBatch().fences) {
      EXPECT_EQ(fence.error.code, ErrorCode::kNeedsUser);
      EXPECT_FALSE(fence.error.remedy.empty());
      heals_ = fence.heals;
      const std::string name = fence.table == 0 ? "shop.a" : "shop.b";
      EXPECT_THAT(fence.error.message, testing::HasSubstr(name));
      fences.push_back(fmt::format("{} before {}", name, fence.position.mysql.ToString()));
    }
    return fences;
  }
  std::string Executed() const { return assembler_->position().mysql.ToString(); }

  std::unique_ptr<Assembler> assembler_;
  uint64_t reserved_ = 1000;
  Heals heals_ = Heals::kByUser;  // of the last fence taken
  uint32_t end_offset_ = 4;
  static constexpr std::string_view kUuid = "00000000-0000-0000-0000-000000000001";
};

}  // namespace penstock::stream
