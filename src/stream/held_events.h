#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"
#include "mysql/binlog/event.h"

namespace penstock::stream {

// The table maps and rows of one transaction as the log has them, until it is known whether they
// count: in memory and, from the first Spill on, in a file. The file stays when this goes. Not for
// several threads at once. Errors of the disk are kExhausted when it is full, else kNeedsUser.
class HeldEvents {
 public:
  // `file` is made by the first Spill.
  explicit HeldEvents(std::filesystem::path file) : path_(std::move(file)) {}
  // Those that a file holds in its first `bytes`; whether it does is seen by reading them.
  HeldEvents(std::filesystem::path file, uint64_t bytes)
      : path_(std::move(file)), bytes_in_file_(bytes), is_made_(bytes != 0) {}
  ~HeldEvents();
  HeldEvents(const HeldEvents&) = delete;
  HeldEvents& operator=(const HeldEvents&) = delete;

  void Append(const binlog::TableMap& map);
  void Append(const binlog::Rows& rows);
  uint64_t bytes() const { return bytes_in_file_ + memory_.size(); }
  uint64_t bytes_in_memory() const { return memory_.size(); }
  // Takes the newest back, down to what bytes() was once.
  Status CutTo(uint64_t bytes);

  // Moves to the file what is in memory.
  Status Spill();
  // Likewise, and nothing of it is lost in a crash.
  Status Secure();
  const std::filesystem::path& path() const { return path_; }
  bool has_file() const { return is_made_; }

 private:
  friend class HeldEventsReader;
  void Seal(size_t begin);

  std::filesystem::path path_;
  uint64_t bytes_in_file_ = 0;
  bool is_made_ = false;
  int fd_ = -1;
  std::string memory_;  // what comes after the file
};

// Reads them in order, one at a time in memory. They may be spilled meanwhile.
class HeldEventsReader {
 public:
  explicit HeldEventsReader(std::shared_ptr<const HeldEvents> events)
      : events_(std::move(events)) {}

  // Views that live until the next call; monostate at the end. kBadData for a file that is missing
  // or is not as it was written.
  using Event = std::variant<std::monostate, binlog::TableMap, binlog::Rows>;
  Result<Event> Next();

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  // The next `size` bytes, of the file or of memory.
  Result<std::string_view> Take(size_t size);
  Failure Damaged(std::string_view what) const;

  std::shared_ptr<const HeldEvents> events_;
  uint64_t position_ = 0;
  std::unique_ptr<std::FILE, CloseFile> file_;
  uint64_t file_position_ = 0;
  std::string record_;
  binlog::TableMapMemory table_map_;
};

}  // namespace penstock::stream
