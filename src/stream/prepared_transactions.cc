#include "stream/prepared_transactions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace penstock::stream {
namespace {

namespace fs = std::filesystem;

// "17" of "17.events"; 0 for what is not ours.
uint64_t NumberOf(const std::string& file) {
  uint64_t number = 0;
  std::from_chars(file.data(), file.data() + file.size(), number);
  return number;
}

}  // namespace

PreparedTransactions::PreparedTransactions(Options options,
                                           const std::vector<model::PreparedTransaction>& known,
                                           std::set<model::TableName> followed)
    : options_(std::move(options)), followed_(std::move(followed)) {
  std::set<std::string> files;
  for (const auto& one : known) {
    Held held{.events = std::make_shared<HeldEvents>(options_.folder / one.file, one.bytes),
              .tables = {one.tables.begin(), one.tables.end()}};
    prepared_.emplace(one.xid, std::move(held));
    files.insert(one.file);
    last_file_ = std::max(last_file_, NumberOf(one.file));
  }
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(options_.folder, error)) {
    const std::string file = entry.path().filename();
    if (!files.contains(file)) fs::remove(entry.path(), error);
  }
}

void PreparedTransactions::Begin() {
  Drop();
  open_.events =
      std::make_shared<HeldEvents>(options_.folder / fmt::format("{}.events", ++last_file_));
}

Status PreparedTransactions::Hold(const binlog::TableMap& map) {
  open_ids_.erase(map.table_id);
  model::TableName name{std::string(map.schema), std::string(map.table)};
  if (!followed_.contains(name)) return {};
  open_ids_.insert(map.table_id);
  open_.tables.insert(std::move(name));
  open_.events->Append(map);
  return {};
}

Status PreparedTransactions::Hold(const binlog::Rows& rows) {
  if (!open_ids_.contains(rows.table_id)) return {};
  open_.events->Append(rows);
  const uint64_t in_memory = prepared_in_memory_ + open_.events->bytes_in_memory();
  return in_memory > options_.memory_bytes_max ? open_.events->Spill() : Status();
}

void PreparedTransactions::SetSavepoint(const std::string& name) {
  std::erase_if(savepoints_, [&](const Savepoint& savepoint) { return savepoint.name == name; });
  if (savepoints_.size() == kSavepointsMax) savepoints_.erase(savepoints_.begin());
  savepoints_.push_back({.name = name, .bytes = open_.events->bytes()});
}

Result<bool> PreparedTransactions::RollbackTo(const std::string& name) {
  const auto found = std::ranges::find(savepoints_, name, &Savepoint::name);
  if (found == savepoints_.end()) return false;
  PENSTOCK_TRY(open_.events->CutTo(found->bytes));
  savepoints_.erase(found + 1, savepoints_.end());
  return true;
}

void PreparedTransactions::Drop() {
  if (is_open()) Discard(open_);
  open_ = {};
  open_ids_.clear();
  savepoints_.clear();
}

void PreparedTransactions::Prepare(const std::string& xid) {
  End(xid);
  prepared_in_memory_ += open_.events->bytes_in_memory();
  prepared_.emplace(xid, std::exchange(open_, {}));
  Drop();
}

const PreparedTransactions::Held* PreparedTransactions::Find(const std::string& xid) const {
  const auto found = prepared_.find(xid);
  return found == prepared_.end() ? nullptr : &found->second;
}

void PreparedTransactions::End(const std::string& xid) {
  const auto found = prepared_.find(xid);
  if (found == prepared_.end()) return;
  prepared_in_memory_ -= found->second.events->bytes_in_memory();
  Discard(found->second);
  prepared_.erase(found);
}

void PreparedTransactions::Discard(const Held& held) {
  if (held.events->has_file()) ended_.push_back(held.events->path().filename());
}

void PreparedTransactions::Forget(const model::TableName& table) {
  for (auto& [xid, held] : prepared_) held.tables.erase(table);
}

Status PreparedTransactions::Secure() {
  for (auto& [xid, held] : prepared_) {
    const uint64_t in_memory = held.events->bytes_in_memory();
    if (held.events->bytes() != 0) PENSTOCK_TRY(held.events->Secure());
    prepared_in_memory_ -= in_memory;
  }
  return {};
}

std::vector<model::PreparedTransaction> PreparedTransactions::list() const {
  std::vector<model::PreparedTransaction> list;
  for (const auto& [xid, held] : prepared_) {
    list.push_back({.xid = xid,
                    .file = {},
                    .bytes = held.events->bytes(),
                    .tables = {held.tables.begin(), held.tables.end()}});
    if (list.back().bytes != 0) list.back().file = held.events->path().filename();
  }
  return list;
}

}  // namespace penstock::stream
