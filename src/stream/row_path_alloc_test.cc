// The row path allocates nothing per row, nor per small transaction: every malloc of this program
// is counted, libraries' too. Memory that grows with the first rows and is kept is the warm-up's.
//
// Not covered: differences of JSON documents (partial updates), savepoints, and what is made once a
// batch.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>

#include "mysql/binlog/capture_for_test.h"
#include "mysql/binlog/row_image.h"
#include "mysql/wire/binary_row.h"
#include "stream/assembler.h"
#include "stream/row_samples_for_test.h"
#include "typemap/table_map.h"

namespace {

std::atomic<uint64_t> allocations{0};

}  // namespace

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// A sanitizer has a malloc of its own, and says when it is called.
extern "C" int __sanitizer_install_malloc_and_free_hooks(  // NOLINT(bugprone-reserved-identifier)
    void (*on_malloc)(const volatile void*, size_t), void (*on_free)(const volatile void*));
namespace {
[[maybe_unused]] const int hooked = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, size_t) { ++allocations; }, [](const volatile void*) {});
}  // namespace
#else
// In place of glibc's, by which its own memory is had.
extern "C" {
void* __libc_malloc(size_t);            // NOLINT(bugprone-reserved-identifier)
void* __libc_calloc(size_t, size_t);    // NOLINT(bugprone-reserved-identifier)
void* __libc_realloc(void*, size_t);    // NOLINT(bugprone-reserved-identifier)
void* __libc_memalign(size_t, size_t);  // NOLINT(bugprone-reserved-identifier)
void* malloc(size_t bytes) noexcept { return ++allocations, __libc_malloc(bytes); }
void* calloc(size_t count, size_t bytes) noexcept {
  return ++allocations, __libc_calloc(count, bytes);
}
void* realloc(void* memory, size_t bytes) noexcept {
  return ++allocations, __libc_realloc(memory, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) noexcept {
  return ++allocations, __libc_memalign(alignment, bytes);
}
}
#endif

namespace penstock::stream {
namespace {

using model::SqlType;

constexpr size_t kRows = 3000;
constexpr size_t kSeed = 30;  // rows that differ

// Every type, what the mapping's rules change, what MariaDB deflates, and text of a type of its
// own.
Samples EverySample() {
  Samples samples = SamplesOfEveryType();
  samples.push_back(DateSample("a clamped DATE", 1000, 1, 1));
  samples.push_back(TimestampSample("a zero TIMESTAMP", 0, 0, {}));
  samples.push_back(VarCharSample("a replaced VARCHAR", "ascii", 1, "caf\xe9"));
  for (Sample sample : SamplesOfEveryType()) {
    const SqlType type = sample.column.type;
    if (type > SqlType::kDecimal && (type < SqlType::kDate || type > SqlType::kYear)) continue;
    sample.column.name += ", printed";
    samples.push_back(std::move(sample));
  }
  Sample deflated = VarCharSample("a COMPRESSED VARCHAR", "latin1", 3, std::string(300, 'a'));
  deflated.column.length = 300;
  deflated.column.compressed = true;
  deflated.log_type = binlog::kVarCharCompressedColumn;
  deflated.metadata = 301;
  constexpr std::string_view kDeflated("\x8a\x01\x2c\x4b\x4c\x1c\x05\xc4\x86\0\0", 11);
  deflated.logged = bytes::Counted(kDeflated, 2);
  samples.push_back(std::move(deflated));
  return samples;
}

typemap::TargetOptions Options() {
  typemap::TargetOptions options;
  for (const Sample& sample : EverySample()) {
    if (!sample.column.name.ends_with(", printed")) continue;
    options.overrides.push_back({.column = sample.column.name, .target_type = "String"});
  }
  return options;
}

// Row `i`: some of its cells are NULL, others in each row.
Samples RowOf(size_t i) {
  Samples row = EverySample();
  for (size_t cell = i % kSeed; cell < row.size(); cell += kSeed) row[cell].is_null = true;
  return row;
}

// Runs `step` to warm it up and then again: what the second run allocates.
template <typename Step>
uint64_t SecondRun(const Step& step) {
  step();
  const uint64_t before = allocations;
  step();
  return allocations - before;
}

class RowPathAllocTest : public testing::Test {
 protected:
  RowPathAllocTest() : table_(EverySample()) {
    for (size_t i = 0; i < kSeed; ++i) {
      const auto id = static_cast<int64_t>(i);
      logged_.push_back(SampleTable::LoggedRow(id, RowOf(i)));
      selected_.push_back(SampleTable::SelectedRow(id, RowOf(i)));
    }
    row_.resize(table_.definition().columns.size());
  }

  SampleTable table_;
  std::vector<std::string> logged_;
  std::vector<std::string> selected_;
  std::vector<model::Value> row_;
};

TEST_F(RowPathAllocTest, TheCounterCounts) {
  EXPECT_EQ(SecondRun([] { EXPECT_EQ(std::string(100, 'x').size(), 100U); }), 1U);
}

// Else the rest would show nothing.
TEST_F(RowPathAllocTest, BothFormsOfASampleAreTheSameCell) {
  auto decoder = binlog::RowImageDecoder::Make(table_.definition(), table_.Map(1));
  ASSERT_TRUE(decoder.has_value()) << decoder.error().ToString();
  mysql::BinaryRowDecoder selects(table_.definition());
  std::vector<model::Value> selected(row_.size());
  for (size_t i = 0; i < kSeed; ++i) {
    ByteReader reader(logged_[i]);
    decoder->BeginRow();
    ASSERT_TRUE(decoder->Decode(reader, table_.present(), row_).has_value());
    ASSERT_TRUE(selects.Decode(selected_[i], selected).has_value());
    for (size_t column = 0; column < row_.size(); ++column) {
      EXPECT_EQ(row_[column], selected[column]) << table_.definition().columns[column].name;
    }
  }
}

TEST_F(RowPathAllocTest, SnapshotRows) {
  auto writer = typemap::TableWriter::Make(table_.definition(), Options());
  ASSERT_TRUE(writer.has_value()) << writer.error().ToString();
  mysql::BinaryRowDecoder decoder(table_.definition());
  clickhouse::Block block = writer->NewBlock();
  EXPECT_EQ(
      SecondRun([&] {
        block.Clear();
        for (size_t i = 0; i < kRows; ++i) {
          ASSERT_TRUE(decoder.Decode(selected_[i % kSeed], row_).has_value());
          ASSERT_TRUE(writer->Append(row_, i, clickhouse::ChangeKind::kInsert, block).has_value());
        }
      }),
      0U);
  EXPECT_EQ(block.rows, kRows);
}

// The log way, with transactions as a server writes them.
class LogAllocTest : public RowPathAllocTest {
 protected:
  LogAllocTest() {
    model::Position start;
    start.mechanism = model::Mechanism::kMysqlGtid;
    start.file = "a-log-with-a-long-name.000001";
    StreamTable table{
        .definition = table_.definition(), .target_options = Options(), .target = "t"};
    assembler_ = *Assembler::Make({std::move(table)}, {.position = start, .open = {}},
                                  [this]() -> Result<VersionRange> {
                                    reserved_ += 1'000'000;
                                    return VersionRange{reserved_ - 1'000'000, reserved_};
                                  });
    map_ = Event(table_.Map(7));
    begin_ = Event(binlog::Query{.schema = "shop", .sql = "BEGIN"});
    commit_ = Event(binlog::Xid{});
    rollback_ = Event(binlog::Query{.schema = "shop", .sql = "ROLLBACK"});
    for (size_t i = 0; i < kSeed; ++i) {
      inserts_.push_back(RowsEvent(binlog::RowsKind::kInsert, logged_[i]));
      deletes_.push_back(RowsEvent(binlog::RowsKind::kDelete, logged_[i]));
      updates_.push_back(logged_[i] + logged_[(i + 1) % kSeed]);  // of the key too
    }
    for (const std::string& images : updates_) {
      update_events_.push_back(RowsEvent(binlog::RowsKind::kUpdate, images));
    }
  }

  static binlog::Event Event(binlog::Body body) {
    return {.header = {.timestamp = 1'700'000'000,
                       .type = 0,
                       .server_id = 1,
                       .size = 100,
                       .end_offset = 100,
                       .flags = 0},
            .body = std::move(body)};
  }
  binlog::Event RowsEvent(binlog::RowsKind kind, std::string_view images) {
    return Event(binlog::Rows{.kind = kind,
                              .table_id = 7,
                              .statement_end = true,
                              .column_count = row_.size(),
                              .present = table_.present(),
                              .present_after = table_.present(),
                              .partial_json = false,
                              .data = images});
  }
  void Feed(const binlog::Event& event) {
    const Status status = assembler_->Consume(event);
    ASSERT_TRUE(status.has_value()) << status.error().ToString();
  }
  void Open() {
    model::MysqlGtid gtid;
    gtid.uuid[15] = 1;
    gtid.tag = model::GtidTag("tag_of_exactly_thirty_two_chars_");
    gtid.number = ++transactions_;
    Feed(Event(binlog::MysqlGtidEvent{.gtid = gtid, .commit_micros = 0}));
    Feed(begin_);
    Feed(map_);
  }
  void Insert() {
    for (size_t i = 0; i < kRows; ++i) Feed(inserts_[i % kSeed]);
  }

  std::unique_ptr<Assembler> assembler_;
  uint64_t reserved_ = 0;
  uint64_t transactions_ = 0;
  binlog::Event map_, begin_, commit_, rollback_;
  std::vector<binlog::Event> inserts_, deletes_, update_events_;
  std::vector<std::string> updates_;
};

// The undone transaction leaves its memory to the next.
TEST_F(LogAllocTest, RowsOfOneTransaction) {
  EXPECT_EQ(SecondRun([this] {
              Open();
              Insert();
              for (size_t i = 0; i < kRows; ++i) Feed(deletes_[i % kSeed]);
              for (size_t i = 0; i < kRows; ++i) Feed(update_events_[i % kSeed]);
              Feed(rollback_);
            }),
            0U);
}

TEST_F(LogAllocTest, SmallTransactions) {
  Open();
  Insert();
  Insert();
  Feed(rollback_);
  EXPECT_EQ(SecondRun([this] {
              for (size_t i = 0; i < kRows / 3; ++i) {
                Open();
                Feed(inserts_[i % kSeed]);
                Feed(deletes_[i % kSeed]);
                Feed(commit_);
              }
            }),
            0U);
  EXPECT_EQ(assembler_->rows(), kRows / 3 * 4);
  EXPECT_EQ(assembler_->TakeBatch().tables.at(0).block.rows, kRows / 3 * 4);
}

// What servers wrote for each row of tests/data/types_table.py: GTID, BEGIN (not MariaDB), a table
// map with all metadata, a rows event, XID.
class CaptureAllocTest : public testing::TestWithParam<std::string> {
 protected:
  CaptureAllocTest() : capture_(binlog::LoadCapture(GetParam() + "-vectors")) {
    std::vector<StreamTable> tables;
    for (const binlog::CapturedTable& captured : capture_.tables) {
      StreamTable& table = tables.emplace_back();
      table.definition = captured.table;
      table.definition.columns[0].nullable = false;
      table.definition.key = {0};
      rows_ += captured.rows.size();
    }
    model::Position start;  // by file, a log that is read twice would be known the second time
    start.mechanism = model::Mechanism::kMysqlGtid;
    assembler_ = *Assembler::Make(std::move(tables), {.position = start, .open = {}},
                                  []() -> Result<VersionRange> {
                                    return VersionRange{1, 1'000'000};
                                  });
    parser_.set_checksum(capture_.checksum_asked_for);
  }

  // Of the first row; what is before says how to read it.
  size_t FirstTransaction() {
    size_t gtid = 0;
    for (size_t i = 0; i < capture_.events.size(); ++i) {
      const auto event = parser_.Parse(capture_.events[i]);
      if (std::holds_alternative<binlog::MysqlGtidEvent>(event->body) ||
          std::holds_alternative<binlog::MariadbGtidEvent>(event->body)) {
        gtid = i;
      }
      if (std::holds_alternative<binlog::TableMap>(event->body)) return gtid;
    }
    return 0;
  }

  binlog::Capture capture_;
  size_t rows_ = 0;
  std::unique_ptr<Assembler> assembler_;
  binlog::EventParser parser_;
};

TEST_P(CaptureAllocTest, ParsedAndFollowed) {
  const auto packets = std::span(capture_.events).subspan(FirstTransaction());
  const auto feed = [&](bool all) {
    for (const std::string& packet : packets) {
      const auto event = parser_.Parse(packet);
      ASSERT_TRUE(event.has_value()) << event.error().ToString();
      const bool has_rows = std::holds_alternative<binlog::TableMap>(event->body) ||
                            std::holds_alternative<binlog::Rows>(event->body);
      if (!all && !has_rows && assembler_->in_transaction()) continue;
      const Status status = assembler_->Consume(*event);
      ASSERT_TRUE(status.has_value()) << status.error().ToString();
    }
  };
  // One transaction with the rows of two runs, undone by the next, leaves its memory.
  feed(/*all=*/false);
  feed(/*all=*/false);
  EXPECT_EQ(SecondRun([&] { feed(/*all=*/true); }), 0U);
  EXPECT_EQ(assembler_->rows(), 2 * rows_);
}

// Of a session that has everything: compressed events and transactions, too.
TEST_P(CaptureAllocTest, EveryFormOfEventIsParsed) {
  const binlog::Capture session = binlog::LoadCapture(GetParam() + "-session");
  EXPECT_EQ(SecondRun([&] {
              parser_.set_checksum(session.checksum_asked_for);
              for (const std::string& packet : session.events) {
                ASSERT_TRUE(parser_.Parse(packet).has_value());
                for (auto inside = parser_.NextInPayload(); inside && *inside;) {
                  inside = parser_.NextInPayload();
                }
              }
            }),
            0U);
}

INSTANTIATE_TEST_SUITE_P(Servers, CaptureAllocTest,
                         testing::Values("mysql97", "mariadb1011", "mariadb118"));

}  // namespace
}  // namespace penstock::stream
