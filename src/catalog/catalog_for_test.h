#pragma once

#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <string>

#include "base/check.h"
#include "base/clock.h"
#include "catalog/catalog.h"

namespace penstock::catalog {

// A folder that is gone at the end of the test; in memory where that can be had, since what is
// tested here waits for the disk at every step.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = "/dev/shm/penstock-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
      name = (std::filesystem::temp_directory_path() / "penstock-XXXXXX").string();
      PENSTOCK_CHECK(::mkdtemp(name.data()) != nullptr);
    }
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline constexpr UnixMicros kTestTime{1'700'000'000'000'000};

class FixedClock final : public Clock {
 public:
  SteadyTime Steady() const override { return {}; }
  UnixMicros Wall() const override { return UnixMicros(wall_.load()); }
  bool Wait(std::chrono::milliseconds, std::stop_token) override { return true; }
  void Advance(UnixMicros time) { wall_ += time.count(); }

 private:
  std::atomic<int64_t> wall_ = kTestTime.count();
};

inline PipeRecord SomePipe(const std::string& id) {
  return {.id = id,
          .name = "name of " + id,
          .spec = "{}",
          .state = "Provisioning",
          .resume_state = "",
          .reason = "",
          .state_since = kTestTime,
          .created_at = kTestTime + UnixMicros(1),
          .updated_at = kTestTime + UnixMicros(2)};
}

inline std::string Describe(const PipeRecord& pipe) {
  return fmt::format("{} {} {} {} {} {} {} {} {}\n", pipe.id, pipe.name, pipe.spec, pipe.state,
                     pipe.resume_state, pipe.reason, pipe.state_since.count(),
                     pipe.created_at.count(), pipe.updated_at.count());
}

inline TableRecord SomeTable(const std::string& name) {
  TableRecord table;
  table.definition.name = {"sch\"ema", name};
  table.definition.engine = "InnoDB";
  model::Column id;
  id.name = "id";
  id.type = model::SqlType::kBigInt;
  id.type_text = "bigint(20) unsigned";
  id.is_unsigned = true;
  id.nullable = false;
  model::Column kind;
  kind.name = "Größe";
  kind.type = model::SqlType::kEnum;
  kind.charset = "utf8mb4";
  kind.collation = "utf8mb4_bin";
  kind.labels = {"a'b", "", "ü"};
  model::Column price;
  price.name = "price";
  price.type = model::SqlType::kDecimal;
  price.precision = 65;
  price.scale = 30;
  price.length = UINT64_MAX;
  table.definition.columns = {id, kind, price};
  table.definition.key = {0};
  table.definition.key_is_primary = true;
  table.target = name;
  table.ddl = "CREATE TABLE " + name;
  table.load_version_base = UINT64_MAX - 1;
  return table;
}

inline Checkpoint SomeCheckpoint(uint64_t offset = 4) {
  Checkpoint checkpoint;
  checkpoint.position.mechanism = model::Mechanism::kFile;
  checkpoint.position.file = "bin.000001";
  checkpoint.position.offset = offset;
  checkpoint.versions_reserved_end = 1000 + offset;
  return checkpoint;
}

inline ValueChangeRecord SomeChange(int64_t table_id, const std::string& column, uint64_t clamped) {
  ValueChangeRecord record{.table_id = table_id, .column = column, .counts = {}};
  record.counts[model::Change::kClamped] = clamped;
  return record;
}

inline Transition ToSnapshot() {
  return {
      .from = "Provisioning", .to = "Snapshot", .resume_state = "", .reason = "", .at = kTestTime};
}

}  // namespace penstock::catalog
