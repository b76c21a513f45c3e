#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/status.h"
#include "model/prepared_transaction.h"
#include "model/table.h"
#include "mysql/binlog/event.h"
#include "stream/held_events.h"

namespace penstock::stream {

inline constexpr size_t kSavepointsMax = 1'000;  // known of a transaction

// The XA transactions of a log that wait for their XA COMMIT or XA ROLLBACK, perhaps for weeks,
// with their changes of the tables that are followed: as the log has them, since their versions are
// those of the commit. They are in memory while they are few and new, and in files of the folder
// else.
//
// A checkpoint that has passed an XA PREPARE goes with list(): the files it names are safe on the
// disk by then (Secure), and stay until a checkpoint without them is (TakeEnded). So whatever
// happens, the list of the checkpoint and its files fit together. One thread.
class PreparedTransactions {
 public:
  struct Options {
    std::filesystem::path folder = {};      // of nothing else; made when needed
    uint64_t memory_bytes_max = 256 << 10;  // writing to files is as fast; so no budget knows of it
  };
  // `known`: those of the checkpoint that the stream begins at. Other files in the folder are of
  // what is read again, or is over: they are removed. Changes of tables that are not `followed` are
  // not kept.
  PreparedTransactions(Options options, const std::vector<model::PreparedTransaction>& known,
                       std::set<model::TableName> followed);

  // An XA transaction begins (XA START): until it is prepared or dropped, it is open.
  void Begin();
  bool is_open() const { return open_.events != nullptr; }
  Status Hold(const binlog::TableMap& map);
  Status Hold(const binlog::Rows& rows);
  // Of very many, the oldest are forgotten.
  void SetSavepoint(const std::string& name);
  // False: none of the name is known.
  Result<bool> RollbackTo(const std::string& name);
  const std::set<model::TableName>& open_tables() const { return open_.tables; }
  void Drop();
  // One of this xid that is known from before is over.
  void Prepare(const std::string& xid);

  struct Held {
    std::shared_ptr<HeldEvents> events;
    std::set<model::TableName> tables;
  };
  // nullptr when none of this xid is known: it was prepared before the stream's first position.
  const Held* Find(const std::string& xid) const;
  // It has been committed, or rolled back.
  void End(const std::string& xid);
  // The table was emptied: what was prepared before changes nothing of it.
  void Forget(const model::TableName& table);

  Status Secure();
  // What is prepared now, by xid. Of those that are in memory yet, the file is named as it will be.
  std::vector<model::PreparedTransaction> list() const;
  // Names of files that no list names any more, each once.
  std::vector<std::string> TakeEnded() { return std::exchange(ended_, {}); }

 private:
  void Discard(const Held& held);

  const Options options_;
  const std::set<model::TableName> followed_;
  uint64_t last_file_ = 0;
  std::map<std::string, Held> prepared_;
  uint64_t prepared_in_memory_ = 0;  // bytes
  std::vector<std::string> ended_;

  Held open_;                              // without events: none is
  std::unordered_set<uint64_t> open_ids_;  // of table maps of tables that are followed
  struct Savepoint {
    std::string name;
    uint64_t bytes;  // before it
  };
  std::vector<Savepoint> savepoints_;  // oldest first
};

}  // namespace penstock::stream
