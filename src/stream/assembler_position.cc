#include <fmt/format.h>

#include <algorithm>

#include "mysql/wire/start_position.h"
#include "stream/assembler.h"

// Which files and GTIDs of the source's log the assembler has come to.

namespace penstock::stream {

void Assembler::set_server(const std::string& server) {
  if (position_.server == server) return;
  if (!position_.server.empty() && position_.mechanism != model::Mechanism::kFile) {
    position_.file.clear();  // of the other's log
    position_.offset = 0;
    position_.file_mark = 0;
  }
  position_.server = server;
  Reconnect();
}

bool Assembler::knows_all_gtids() const {
  return file_gtids_ == FileGtids::kAll && !in_transaction_ &&
         std::ranges::none_of(tables_, [this](const auto& state) { return ComesBefore(*state); });
}

void Assembler::set_mechanism(model::Mechanism mechanism) {
  position_.mechanism = mechanism;
  file_gtids_ = FileGtids::kUnknown;
  DropPassedStarts();
}

// A place in files means nothing any more once another server may follow. The stream has passed
// those of its tables when it went on to GTIDs.
void Assembler::DropPassedStarts() {
  if (position_.mechanism == model::Mechanism::kFile) return;
  for (auto& state : tables_) {
    auto& start = state->table.start;
    if (start && start->mechanism == model::Mechanism::kFile) start.reset();
  }
}

void Assembler::KnowTo(const model::Position& position) {
  if (position.mechanism != position_.mechanism || mysql::Reaches(position_, position)) return;
  if (known_to_) {
    mysql::Join(*known_to_, position);
  } else {
    known_to_ = position;
  }
}

model::Position Assembler::Furthest() const {
  model::Position furthest = position_;
  if (known_to_ && known_to_->mechanism == position_.mechanism &&
      !mysql::Reaches(position_, *known_to_)) {
    mysql::Join(furthest, *known_to_);
  }
  if (partly_taken_ || awaits_open_) mysql::Join(furthest, open_read_to_);
  return furthest;
}

// In the middle of a log session: a new file. While a transaction is open the server died when it
// wrote it.
Status Assembler::OnFileBegin(const binlog::EventHeader& header) {
  mapped_.clear();
  if (header.end_offset != 0 && in_transaction_) Undo();
  if (header.timestamp == 0) return {};
  const uint64_t mark = model::FileMark(header.server_id, header.timestamp);
  if (position_.mechanism == model::Mechanism::kFile && file_mark_ != 0 && file_mark_ != mark) {
    return Fail(
        Error{.code = ErrorCode::kNeedsUser,
              .message = fmt::format("the source's {} is not the file that was read: its log "
                                     "was reset, or it is another server",
                                     file_),
              .origin = "source",
              .native_code = 0,
              .remedy = "Point the pipe at the server it was reading, or resync the pipe "
                        "(penstock resync); with GTIDs a pipe goes on after a failover"});
  }
  file_mark_ = mark;
  if (in_transaction_) return {};
  if (position_.file_mark != 0 && position_.file_mark != mark) position_.offset = offset_;
  position_.file_mark = mark;
  return {};
}

Status Assembler::On(const binlog::Rotate& rotate) {
  // Without a GTID its place is all that tells a transaction from another.
  if (awaits_open_ && open_gtid_.empty() && rotate.next_file != position_.file) {
    MissOpenTransaction();
  }
  if (file_ != rotate.next_file) {
    file_mark_ = 0;
    file_gtids_ = FileGtids::kUnknown;
  }
  file_ = rotate.next_file;
  offset_ = rotate.next_offset;
  // A session by GTID begins with the head of a file, however far that was read.
  // Without a mark it may be another file of that name.
  const bool again = position_.mechanism != model::Mechanism::kFile && position_.file == file_ &&
                     position_.file_mark != 0 && offset_ < position_.offset;
  if (!in_transaction_ && !again) {
    position_.file = file_;
    position_.offset = offset_;
    position_.file_mark = file_mark_;
  }
  return {};
}

// By file, the GTIDs of before a file's first transaction are learned from it. A session that
// begins in the middle of a file may name them, too, and they say nothing of that place.
Status Assembler::On(const binlog::PreviousGtids& previous, const binlog::EventHeader& header) {
  const bool by_file = position_.mechanism == model::Mechanism::kFile;
  if (!by_file || in_transaction_ || header.end_offset <= offset_) return {};
  PENSTOCK_ASSIGN(const auto gtids, model::MysqlGtidSet::Decode(previous.encoded));
  position_.mysql.Add(gtids);
  file_gtids_ = FileGtids::kBefore;
  return {};
}

Status Assembler::On(const binlog::MysqlGtidEvent& gtid) {
  if (in_transaction_) Undo();
  mysql_gtid_ = gtid.gtid;
  if (!gtid.gtid) file_gtids_ = FileGtids::kUnknown;
  if (gtid.gtid && file_gtids_ == FileGtids::kBefore) file_gtids_ = FileGtids::kAll;
  // By file a server also sends what was read, by GTID, from another one.
  is_known_ = position_.mechanism == model::Mechanism::kFile && gtid.gtid &&
              position_.mysql.Contains(*gtid.gtid);
  commit_micros_ = gtid.commit_micros;
  return {};
}

}  // namespace penstock::stream
