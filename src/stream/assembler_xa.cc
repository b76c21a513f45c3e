#include <fmt/format.h>

#include <utility>

#include "stream/assembler.h"

namespace penstock::stream {

// The rows that came are not committed yet, and may never be.
Status Assembler::On(const binlog::XaPrepare& prepare, const binlog::EventHeader& header) {
  if (!prepared_.is_open()) {
    return Fail(ErrorCode::kBadData, "the log is out of order: XA PREPARE without XA START");
  }
  prepared_.Prepare(xid_);
  if (prepare.one_phase) return CommitPrepared(xid_, header);
  Commit(header);
  return {};
}

// One that is not known was prepared before the first position of the pipe. Where the user may ask
// for them, there was none then; where not, nobody can tell which tables it changed.
Status Assembler::CommitPrepared(const std::string& xid, const binlog::EventHeader& header) {
  const PreparedTransactions::Held* held = prepared_.Find(xid);
  if (held == nullptr) {
    if (!is_known_) CommitUnknown(xid);
    Commit(header);
    return {};
  }
  if (!in_transaction_) Begin();
  replay_.emplace(ReplayState{xid, header, HeldEventsReader(held->events)});
  return {};
}

void Assembler::CommitUnknown(const std::string& xid) {
  if (!prepared_unknown_) {
    notices_.push_back(fmt::format(
        "the XA transaction {} was committed, and had been prepared before the pipe's log "
        "begins: if it changed tables of the pipe, resync them (penstock resync)",
        xid));
    return;
  }
  for (size_t i = 0; i < tables_.size(); ++i) {
    if (ComesBefore(*tables_[i])) continue;
    FenceUntilResync(i, fmt::format("the XA transaction {} was committed, and had been prepared "
                                    "before the log was read again",
                                    xid));
  }
}

Status Assembler::Replay() {
  auto event = replay_->reader.Next();
  const auto& tables = prepared_.Find(replay_->xid)->tables;
  if (!event) {
    FenceHeld(tables, event.error().message);
    EndReplay();
    return {};
  }
  if (std::holds_alternative<std::monostate>(*event)) {
    EndReplay();
    return {};
  }
  Status status;
  if (const auto* rows = std::get_if<binlog::Rows>(&*event)) {
    status = On(*rows);
  } else {
    const auto& map = std::get<binlog::TableMap>(*event);
    const model::TableName name{std::string(map.schema), std::string(map.table)};
    if (tables.contains(name)) {
      status = On(map);
    } else {
      mapped_.insert_or_assign(map.table_id, std::nullopt);
    }
  }
  if (!status) return Fail(status.error().In("XA transaction " + replay_->xid));
  return {};
}

void Assembler::EndReplay() {
  const ReplayState done = *std::exchange(replay_, std::nullopt);
  prepared_.End(done.xid);
  Commit(done.header);
}

Status Assembler::RollbackHeldTo(const std::string& name) {
  PENSTOCK_ASSIGN(const bool known, prepared_.RollbackTo(name));
  if (!known) {
    FenceHeld(prepared_.open_tables(),
              "an XA transaction was undone in part, back to a savepoint that is not in the log");
  }
  return {};
}

void Assembler::FenceHeld(const std::set<model::TableName>& tables, std::string_view why) {
  for (size_t i = 0; i < tables_.size(); ++i) {
    const model::TableName& name = tables_[i]->table.definition.name;
    if (tables.contains(name)) FenceUntilResync(i, why);
  }
}

}  // namespace penstock::stream
