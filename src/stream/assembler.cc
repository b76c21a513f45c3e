#include "stream/assembler.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mysql/wire/errors.h"
#include "mysql/wire/start_position.h"
#include "mysql/wire/table_read.h"
#include "stream/statement_effect.h"

namespace penstock::stream {
namespace {

constexpr size_t kMappedMax = 1'000;

constexpr std::string_view kResyncTable = "Resync the table (penstock resync)";
constexpr std::string_view kResyncPipe = "Resync the pipe (penstock resync)";
// MariaDB gives an incident no GTID: it sends it to whoever begins by GTID later in the same file.
constexpr std::string_view kFlushAndResync =
    "FLUSH BINARY LOGS at the source, then resync the pipe (penstock resync)";

constexpr std::string_view kNoRest =
    "the source has no more of a transaction of which part was written";

constexpr std::string_view kLogRows =
    "Set binlog_format to ROW in every session of the source; then resync the pipe "
    "(penstock resync)";

// Why a row that the log does not hold whole cannot be read again.
constexpr std::string_view kNoKey = "its key is among those that are missing";
constexpr std::string_view kSortedOtherwise =
    "the row cannot be found again: the destination's sorting key is not the primary key";
constexpr std::string_view kEveryChange =
    "the destination keeps every change, of which reading the row again would show the last only";

Error NeedsUser(std::string message, std::string_view remedy) {
  return {.code = ErrorCode::kNeedsUser,
          .message = std::move(message),
          .origin = "source",
          .native_code = 0,
          .remedy = std::string(remedy)};
}

Failure MissingStart(std::string_view what) {
  return Fail(ErrorCode::kBadData, "the log is out of order: {}", what);
}

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <typename... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace

Assembler::Assembler(StreamStart start, ReserveVersions reserve, PreparedTransactions prepared)
    : reserve_(std::move(reserve)),
      position_(std::move(start.position)),
      taken_to_(position_),
      file_(position_.file),
      offset_(position_.offset),
      file_mark_(position_.file_mark),
      open_gtid_(std::move(start.open.gtid)),
      prepared_(std::move(prepared)),
      prepared_unknown_(start.prepared_unknown) {}

Result<std::unique_ptr<Assembler>> Assembler::Make(std::vector<StreamTable> tables,
                                                   StreamStart start, ReserveVersions reserve,
                                                   PreparedTransactions::Options held) {
  const auto open = std::move(start.open.tables);
  const auto sent_to = std::move(start.sent_to);
  std::set<model::TableName> names;
  for (const StreamTable& table : tables) names.insert(table.definition.name);
  PreparedTransactions prepared(std::move(held), start.prepared, std::move(names));
  std::unique_ptr<Assembler> assembler(
      new Assembler(std::move(start), std::move(reserve), std::move(prepared)));
  size_t columns_max = 0;
  for (StreamTable& table : tables) {
    PENSTOCK_ASSIGN(auto writer,
                    typemap::TableWriter::Make(table.definition, table.target_options));
    model::Table definition = table.definition;
    table.definition = typemap::TableToRead(definition, table.target_options);
    columns_max = std::max(columns_max, table.definition.columns.size());
    const bool fenced = table.quarantined;
    if (!fenced) assembler->index_.emplace(table.definition.name, assembler->tables_.size());
    if (!fenced && table.start) assembler->KnowTo(*table.start);
    if (!fenced && table.start_part) assembler->KnowTo(table.start_part->read_to);
    if (table.start_part && !mysql::Reaches(assembler->position_, table.start_part->read_to)) {
      assembler->start_parts_.push_back(assembler->tables_.size());
    }
    const bool may_reread = !clickhouse::KeepsEveryChange(table.target_options.engine) &&
                            typemap::SortedByPrimaryKey(table.definition, table.target_options);
    assembler->tables_.push_back(
        std::make_unique<TableState>(TableState{.table = std::move(table),
                                                .definition = std::move(definition),
                                                .writer = std::move(writer),
                                                .block = {},
                                                .counts = {},
                                                .rereads = {},
                                                .may_reread = may_reread,
                                                .fenced = fenced,
                                                .mark = {}}));
  }
  assembler->DropPassedStarts();
  if (sent_to) assembler->KnowTo(*sent_to);
  for (const auto& [table, rows] : open) {
    if (assembler->tables_.at(table)->fenced) continue;
    assembler->tables_[table]->rows_taken = rows;
    assembler->taken_tables_.push_back(table);
  }
  assembler->awaits_open_ = !assembler->taken_tables_.empty();
  assembler->before_.resize(columns_max);
  assembler->after_.resize(columns_max);
  return assembler;
}

Status Assembler::Consume(const binlog::Event& event) {
  const binlog::EventHeader& header = event.header;
  const Status status = std::visit(
      Overloaded{
          [&](const binlog::FormatDescription&) { return OnFileBegin(header); },
          [&](const binlog::Rotate& rotate) { return On(rotate); },
          [&](const binlog::MysqlGtidEvent& gtid) { return On(gtid); },
          [&](const binlog::MariadbGtidEvent& gtid) { return On(gtid); },
          [&](const binlog::Query& query) { return On(query, header); },
          [&](const binlog::Xid&) -> Status { return Commit(header), Status(); },
          [&](const binlog::TableMap& map) { return On(map); },
          [&](const binlog::Rows& rows) { return On(rows); },
          [&](const binlog::XaPrepare& prepare) { return On(prepare, header); },
          [&](const binlog::Incident& incident) -> Status {
            if (is_known_) return {};
            return Fail(
                NeedsUser(fmt::format("the source reports that its log may miss changes: {}",
                                      incident.message),
                          position_.mechanism == model::Mechanism::kMariadbGtid ? kFlushAndResync
                                                                                : kResyncPipe));
          },
          [&](const binlog::Unknown& unknown) -> Status {
            return Fail(NeedsUser(fmt::format("the log holds {}, which this version cannot read",
                                              binlog::EventTypeName(unknown.type)),
                                  "Use a version of penstock that knows it"));
          },
          [](const binlog::Heartbeat&) { return Status(); },
          // Its events come one by one.
          [](const binlog::TransactionPayload&) { return Status(); },
          [&](const binlog::PreviousGtids& previous) { return On(previous, header); },
          [](const binlog::Ignored&) { return Status(); },
      },
      event.body);
  if (!status) return Fail(status.error().In(Where(header)));
  if (in_transaction_ && !header.artificial()) TrackOffset(header);
  return {};
}

void Assembler::Reconnect() {
  mapped_.clear();
  replay_.reset();
  if (in_transaction_) TakeBack();
  awaits_open_ |= partly_taken_;
  EndTransaction();
  ForgetHead();
  file_ = position_.file;
  offset_ = position_.offset;
  file_mark_ = position_.file_mark;
}

Status Assembler::On(const binlog::MariadbGtidEvent& gtid) {
  if (in_transaction_) Undo();
  mariadb_gtid_ = gtid.gtid;
  commit_micros_ = 0;
  if (!gtid.standalone) Begin();
  if (gtid.prepared_xa) prepared_.Begin();
  return {};
}

Status Assembler::On(const binlog::Query& query, const binlog::EventHeader& header) {
  const ddl::Statement statement = ddl::Classify(
      query.sql, query.schema,
      {.ansi_quotes = query.ansi_quotes, .backslash_escapes = !query.no_backslash_escapes});
  PENSTOCK_TRY(OnOurTables(statement, query));
  switch (statement.kind) {
    case ddl::StatementKind::kBegin:
      Begin();
      return {};
    case ddl::StatementKind::kCommit:
      Commit(header);
      return {};
    case ddl::StatementKind::kRollback:
      Undo();
      Advance(header);
      return {};
    case ddl::StatementKind::kSavepoint:
      SetSavepoint(statement.savepoint);
      return {};
    case ddl::StatementKind::kRollbackTo:
      return RollbackTo(statement.savepoint);
    case ddl::StatementKind::kXaStart:
      Begin();
      prepared_.Begin();
      return {};
    case ddl::StatementKind::kXaEnd:
      xid_ = statement.xid;
      return {};
    case ddl::StatementKind::kXaCommit:
      return CommitPrepared(statement.xid, header);
    case ddl::StatementKind::kXaRollback:
      prepared_.End(statement.xid);
      Commit(header);
      return {};
    default:
      if (!in_transaction_) Advance(header);
      return {};
  }
}

// What a statement does to our tables, which no row event tells.
Status Assembler::OnOurTables(const ddl::Statement& statement, const binlog::Query& query) {
  if (is_known_) return {};
  for (const model::TableName& name : statement.made) OnMade(name, statement.kind);
  if (statement.kind == ddl::StatementKind::kRoutineCall) {
    return Fail(NeedsUser(
        fmt::format("the log holds a call of {} as text instead of the rows it changed, of "
                    "whatever table",
                    statement.tables.empty() ? "a routine" : statement.tables[0].ToString()),
        kLogRows));
  }
  for (size_t i = 0; i < tables_.size() && !statement.tables.empty(); ++i) {
    if (tables_[i]->fenced || ComesBefore(*tables_[i])) continue;
    auto effect = EffectOn(tables_[i]->definition, statement, query.sql, names_ignore_case_);
    if (std::holds_alternative<Truncates>(effect)) {
      truncated_ = i;
      before_truncate_ = position_;
      prepared_.Forget(tables_[i]->table.definition.name);
    }
    if (std::holds_alternative<AddsColumns>(effect)) AddColumns(i, statement, query);
    if (auto* error = std::get_if<Error>(&effect)) {
      FenceTable(i, std::move(*error));
      tables_[i]->table.gone = IsAmong(statement.gone, *tables_[i]);
      fences_.back().gone = tables_[i]->table.gone;
    }
  }
  return {};
}

bool Assembler::ComesBefore(const TableState& state) const {
  return is_known_ || (state.table.start && ComesBefore(*state.table.start));
}

bool Assembler::ComesBefore(const model::Position& position) const {
  switch (position.mechanism) {
    case model::Mechanism::kMysqlGtid:
      return mysql_gtid_ && position.mysql.Contains(*mysql_gtid_);
    case model::Mechanism::kMariadbGtid:
      return mariadb_gtid_ && position.mariadb.Covers(*mariadb_gtid_);
    case model::Mechanism::kFile:
      break;
  }
  return mysql::Reaches(position, position_) && !mysql::Reaches(position_, position);
}

Status Assembler::FenceIfItsOwn(size_t table, Status status) {
  if (status || !mysql::ConcernsOneTable(status.error())) return status;
  FenceTable(table, std::move(status).error());
  return {};
}

void Assembler::FenceTable(size_t table, Error error, Heals heals) {
  TableState& state = *tables_[table];
  if (state.fenced) return;
  state.fenced = true;
  fences_.push_back(
      {.table = table, .position = position_, .error = std::move(error), .heals = heals});
  if (state.touched) {
    rows_ -= state.counts.total() - state.mark.counts.total();
    Restore(state, state.mark);
    state.touched = false;
    std::erase(touched_, table);
  }
  std::erase(taken_tables_, table);
  index_.erase(state.table.definition.name);
  for (auto& [id, mapped] : mapped_) {
    if (mapped && mapped->table == table) mapped.reset();
  }
}

Status Assembler::On(const binlog::TableMap& map) {
  names_are_logged_ |= !map.names.empty();
  if (prepared_.is_open()) return prepared_.Hold(map);
  // The definition of a table id may change only together with the id, yet ids start anew with
  // the server.
  const auto known = mapped_.find(map.table_id);
  const auto ours = index_.find(map);
  if (ours == index_.end() || ComesBefore(*tables_[ours->second])) {
    if (known != mapped_.end())
      known->second.reset();
    else
      mapped_.emplace(map.table_id, std::nullopt);
    return {};
  }
  if (known != mapped_.end() && known->second && known->second->table == ours->second &&
      known->second->types == map.types &&
      std::ranges::equal(known->second->metadata, map.metadata)) {
    return {};
  }
  const size_t table = ours->second;
  if (Status proved = Prove(*tables_[table], map); !proved) {
    mapped_.insert_or_assign(map.table_id, std::nullopt);
    return FenceIfItsOwn(table, std::move(proved));
  }
  auto decoder = binlog::RowImageDecoder::Make(tables_[table]->table.definition, map);
  if (!decoder) {
    Error error = std::move(decoder).error();
    mapped_.insert_or_assign(map.table_id, std::nullopt);
    if (error.code == ErrorCode::kConflict && !tables_[table]->unproven.empty()) {
      FenceUntilResync(table, error.message);  // MariaDB may log rows in the middle of an ALTER
      return {};
    }
    if (error.code == ErrorCode::kConflict) {
      error = NeedsUser(std::move(error.message), kResyncTable);
    }
    return FenceIfItsOwn(table, Fail(std::move(error)));
  }
  mapped_.insert_or_assign(map.table_id,
                           MappedTable{.table = table,
                                       .types = std::string(map.types),
                                       .metadata = {map.metadata.begin(), map.metadata.end()},
                                       .decoder = *std::move(decoder)});
  return {};
}

Status Assembler::On(const binlog::Rows& rows) {
  if (prepared_.is_open()) return prepared_.Hold(rows);
  Status status = OnRows(rows);
  if (rows.statement_end) statement_version_.reset();
  return status;
}

Status Assembler::OnRows(const binlog::Rows& rows) {
  const auto found = mapped_.find(rows.table_id);
  if (found == mapped_.end()) return MissingStart("rows of a table that was not announced");
  if (!found->second) return {};
  if (!in_transaction_) return MissingStart("rows outside of a transaction");
  MappedTable& mapped = *found->second;
  TableState& state = *tables_[mapped.table];
  if (rows.column_count != mapped.decoder.column_count()) {
    return MissingStart("rows with another number of columns than announced");
  }
  Touch(mapped.table);
  const size_t bytes_before = state.block.bytes();
  Status appended = AppendRows(state, mapped.decoder, rows);
  if (!appended) return FenceIfItsOwn(mapped.table, std::move(appended));
  bytes_ += state.block.bytes() - bytes_before;
  return {};
}

Status Assembler::AppendRows(TableState& state, binlog::RowImageDecoder& decoder,
                             const binlog::Rows& rows) {
  const size_t columns = state.table.definition.columns.size();
  const std::span before(before_.data(), columns);
  const std::span after(after_.data(), columns);
  ByteReader reader(rows.data);
  while (!reader.AtEnd()) {
    decoder.BeginRow();
    PENSTOCK_TRY(decoder.Decode(reader, rows.present, before));
    PENSTOCK_ASSIGN(const bool was_current, decoder.IsCurrent(before));
    bool is_current = false;
    if (rows.kind == binlog::RowsKind::kUpdate) {
      PENSTOCK_TRY(decoder.DecodeAfter(reader, rows, before, after));
      PENSTOCK_ASSIGN(is_current, decoder.IsCurrent(after));
    }
    if (state.rows_read++ < state.rows_taken) [[unlikely]]
      continue;
    switch (rows.kind) {
      case binlog::RowsKind::kInsert:
        if (was_current) PENSTOCK_TRY(Insert(state, before));
        break;
      case binlog::RowsKind::kDelete:
        if (was_current) PENSTOCK_TRY(Delete(state, before));
        break;
      case binlog::RowsKind::kUpdate:
        if (was_current && is_current) PENSTOCK_TRY(Update(state, before, after));
        if (was_current && !is_current) PENSTOCK_TRY(Delete(state, before));
        if (!was_current && is_current) PENSTOCK_TRY(Insert(state, after));
        break;
    }
  }
  return {};
}

Status Assembler::Insert(TableState& state, model::Row row) {
  PENSTOCK_TRY(AppendRow(state, row, clickhouse::ChangeKind::kInsert));
  ++state.counts.inserted;
  ++rows_;
  return {};
}

Status Assembler::Delete(TableState& state, model::Row row) {
  PENSTOCK_ASSIGN(const uint64_t version, NextVersion());
  PENSTOCK_TRY(AppendDeletion(state, row, version));
  ++state.counts.deleted;
  ++rows_;
  return {};
}

Status Assembler::Update(TableState& state, model::Row before, model::Row after) {
  if (state.writer.KeyChanged(before, after)) {
    PENSTOCK_ASSIGN(const uint64_t version, VersionOfOldRow(state));
    PENSTOCK_TRY(AppendDeletion(state, before, version));
  }
  if (!state.writer.HoldsKey(after)) [[unlikely]]
    return NotWhole(state, kNoKey);
  PENSTOCK_TRY(AppendRow(state, after, clickhouse::ChangeKind::kUpdate));
  ++state.counts.updated;
  ++rows_;
  return {};
}

// A row of which the log holds a part is read again later, when it may have changed further: what
// did that comes after it in the log, and gets a higher version. What an insert leaves out of the
// key is the column's default.
Status Assembler::AppendRow(TableState& state, model::Row row, clickhouse::ChangeKind kind) {
  if (!state.writer.IsWhole(row)) [[unlikely]] {
    if (!state.may_reread) return NotWhole(state);
    PENSTOCK_ASSIGN(state.reread_version, NextVersion());
    state.rereads.push_back(mysql::KeyCondition(state.table.definition, row));
    bytes_ += sizeof(std::string) + state.rereads.back().capacity();
    return {};
  }
  PENSTOCK_ASSIGN(const uint64_t version, NextVersion());
  return state.writer.Append(row, version, kind, state.block);
}

// Without a key, UPDATE t SET n = n + 1 makes of row 1 a row 2 before the old row 2 goes: so the
// old rows go before all new ones of a statement, which changes a row only once.
Result<uint64_t> Assembler::VersionOfOldRow(const TableState& state) {
  if (!typemap::WholeRowIsKey(state.table.definition, state.table.target_options)) [[likely]]
    return NextVersion();
  if (!statement_version_) {
    PENSTOCK_ASSIGN(statement_version_, NextVersion());
  }
  return *statement_version_;
}

Status Assembler::AppendDeletion(TableState& state, model::Row row, uint64_t version) {
  if (state.writer.IsWhole(row)) [[likely]] {
    return state.writer.Append(row, version, clickhouse::ChangeKind::kDelete, state.block);
  }
  if (!state.may_reread) return NotWhole(state);
  if (!state.writer.HoldsKey(row)) return NotWhole(state, kNoKey);
  return state.writer.AppendDeletion(row, version, state.block);
}

Failure Assembler::NotWhole(const TableState& state) {
  const bool every_change = clickhouse::KeepsEveryChange(state.table.target_options.engine);
  return NotWhole(state, every_change ? kEveryChange : kSortedOtherwise);
}

Failure Assembler::NotWhole(const TableState& state, std::string_view why) {
  return Fail(NeedsUser(
      fmt::format("a change of {} was logged without all of its columns, and {}",
                  state.table.definition.name.ToString(), why),
      "Set binlog_row_image to FULL in every session of the source; then resync the table"));
}

Result<uint64_t> Assembler::NextVersion() {
  if (versions_.begin == versions_.end) [[unlikely]] {
    PENSTOCK_ASSIGN(versions_, reserve_());
  }
  return versions_.begin++;
}

void Assembler::Begin() {
  EndTransaction();
  in_transaction_ = true;
  statement_version_.reset();
  rows_at_begin_ = rows_;
  bytes_at_begin_ = bytes_;
  if (is_known_) return;
  if (awaits_open_) MeetOpenTransaction();
  MeetStartParts();
}

void Assembler::Commit(const binlog::EventHeader& header) {
  EndTransaction();
  Advance(header);
}

void Assembler::Undo() {
  if (partly_taken_)
    FenceTouched("a large transaction was undone after part of it had been written");
  if (in_transaction_) TakeBack();
  EndTransaction();
}

void Assembler::FenceTouched(std::string_view why) {
  while (!touched_.empty()) FenceUntilResync(touched_.back(), why);
}

void Assembler::FenceUntilResync(size_t table, std::string_view why) {
  FenceTable(table,
             NeedsUser(fmt::format("{}: {}", tables_[table]->table.definition.name.ToString(), why),
                       "Nothing: it is resynced by itself"),
             Heals::kByResync);
}

void Assembler::TakeBack() {
  for (const size_t table : touched_) Restore(*tables_[table], tables_[table]->mark);
  rows_ = rows_at_begin_;
  bytes_ = bytes_at_begin_;
}

void Assembler::EndTransaction() {
  for (const size_t table : touched_) {
    tables_[table]->touched = false;
    tables_[table]->rows_read = 0;
  }
  touched_.clear();
  if (!awaits_open_) {
    for (const size_t table : taken_tables_) tables_[table]->rows_taken = 0;
    taken_tables_.clear();
  }
  savepoints_.clear();
  prepared_.Drop();
  in_transaction_ = false;
  partly_taken_ = false;
  // Servers give a table a new id whenever they open it.
  if (mapped_.size() > kMappedMax) mapped_.clear();
}

void Assembler::MeetOpenTransaction() {
  if (GtidText() != open_gtid_) return MissOpenTransaction();
  awaits_open_ = false;
  partly_taken_ = true;
  ReadInPart();
  for (const size_t table : taken_tables_) Touch(table);
}

void Assembler::MissOpenTransaction() {
  awaits_open_ = false;
  const auto tables = std::exchange(taken_tables_, {});
  for (const size_t table : tables) {
    FenceUntilResync(table, kNoRest);
  }
}

void Assembler::MeetStartParts() {
  std::erase_if(start_parts_, [this](size_t table) {
    TableState& state = *tables_[table];
    if (!state.fenced && ComesBefore(state)) return false;
    const bool met = in_transaction_ && ComesBefore(state.table.start_part->read_to);
    if (!met) FenceUntilResync(table, kNoRest);
    if (state.fenced) return true;
    partly_taken_ = true;
    open_gtid_ = GtidText();
    ReadInPart();
    state.rows_taken = std::max(state.rows_taken, state.table.start_part->rows);
    if (std::ranges::count(taken_tables_, table) == 0) taken_tables_.push_back(table);
    Touch(table);
    return true;
  });
}

bool Assembler::ReadsTakenRows() const {
  return std::ranges::any_of(taken_tables_, [this](size_t table) {
    return tables_[table]->rows_read < tables_[table]->rows_taken;
  });
}

OpenTransaction Assembler::Open() const {
  OpenTransaction open{.gtid = open_gtid_, .tables = {}};
  for (const size_t table : taken_tables_)
    open.tables.push_back({table, tables_[table]->rows_taken});
  return open;
}

// Of savepoints of one name the last counts; of very many, the oldest are forgotten.
void Assembler::SetSavepoint(const std::string& name) {
  if (prepared_.is_open()) return prepared_.SetSavepoint(name);
  std::erase_if(savepoints_, [&](const Savepoint& s) { return s.name == name; });
  if (savepoints_.size() == kSavepointsMax) savepoints_.erase(savepoints_.begin());
  Savepoint savepoint{
      .name = name, .marks = {}, .in_taken_rows = ReadsTakenRows(), .rows = rows_, .bytes = bytes_};
  for (const size_t table : touched_) Save(*tables_[table], savepoint.marks[table]);
  savepoints_.push_back(std::move(savepoint));
}

Status Assembler::RollbackTo(const std::string& name) {
  if (prepared_.is_open()) return RollbackHeldTo(name);
  const auto found = std::find_if(savepoints_.rbegin(), savepoints_.rend(),
                                  [&](const Savepoint& s) { return s.name == name; });
  if (found == savepoints_.rend() || (found->in_taken_rows && !ReadsTakenRows())) {
    FenceTouched(
        "part of a large transaction was undone after it had been written, or back to a savepoint "
        "of too long ago");
    return {};
  }
  for (const size_t table : touched_) {
    TableState& state = *tables_[table];
    const auto mark = found->marks.find(table);
    Restore(state, mark == found->marks.end() ? state.mark : mark->second);
  }
  rows_ = found->rows;
  bytes_ = found->bytes;
  savepoints_.erase(found.base(), savepoints_.end());
  return {};
}

// For every transaction and table: into the memory that `mark` has.
void Assembler::Save(const TableState& state, Mark& mark) {
  state.block.MarkInto(mark.block);
  mark.counts = state.counts;
  state.writer.SaveChanges(mark.changes);
  mark.rereads = state.rereads.size();
}

void Assembler::Restore(TableState& state, const Mark& mark) {
  state.block.Restore(mark.block);
  state.counts = mark.counts;
  state.writer.RestoreChanges(mark.changes);
  state.rereads.resize(mark.rereads);
}

void Assembler::Touch(size_t table) {
  TableState& state = *tables_[table];
  if (state.touched) return;
  state.touched = true;
  if (state.block.columns.empty()) state.block = state.writer.NewBlock();
  Save(state, state.mark);
  touched_.push_back(table);
  if (!std::exchange(state.in_batch, true)) batch_tables_.push_back(table);
}

// The log writes 32 bits of the offset, and files may be longer: so no turn may be missed.
void Assembler::TrackOffset(const binlog::EventHeader& header) {
  constexpr uint64_t kTurn = uint64_t{1} << 32;
  if (header.end_offset == 0) return;
  uint64_t offset = (offset_ & ~(kTurn - 1)) | header.end_offset;
  if (offset < offset_) offset += kTurn;
  offset_ = offset;
}

// The end of a transaction, or of a statement that is one by itself.
void Assembler::Advance(const binlog::EventHeader& header) {
  if (awaits_open_ && !is_known_) MissOpenTransaction();
  MeetStartParts();
  TrackOffset(header);
  AddRead(position_);
  last_commit_ = commit_micros_ != 0 ? UnixMicros(static_cast<int64_t>(commit_micros_))
                                     : std::chrono::seconds(header.timestamp);
  ForgetHead();
}

// What was told of the transaction that is over, or will be read again.
void Assembler::ForgetHead() {
  mysql_gtid_.reset();
  mariadb_gtid_.reset();
  is_known_ = false;
  commit_micros_ = 0;
}

// Of the transaction that is open something is, or was, in the destination.
void Assembler::ReadInPart() {
  open_read_to_ = position_;
  AddRead(open_read_to_);
}

void Assembler::AddRead(model::Position& position) const {
  position.file = file_;
  position.offset = offset_;
  position.file_mark = file_mark_;
  if (mysql_gtid_) position.mysql.Add(*mysql_gtid_);
  if (mariadb_gtid_) position.mariadb.Set(*mariadb_gtid_);
}

Batch Assembler::TakeBatch() {
  Batch batch;
  std::ranges::sort(batch_tables_);
  for (const size_t i : batch_tables_) {
    TableState& state = *tables_[i];
    state.in_batch = state.touched;
    if (state.block.rows == 0 && state.rereads.empty()) continue;
    batch.rows += state.counts.total();
    batch.tables.push_back({.table = i,
                            .block = std::move(state.block),
                            .counts = state.counts,
                            .changes = state.writer.TakeChanges(),
                            .rereads = std::exchange(state.rereads, {}),
                            .reread_version = state.reread_version});
    state.block = state.touched ? state.writer.NewBlock() : clickhouse::Block();
    state.counts = {};
  }
  batch_tables_ = touched_;
  batch.fences = std::exchange(fences_, {});
  batch.made = std::exchange(made_, {});
  batch.truncated = std::exchange(truncated_, std::nullopt);
  batch.before_truncate = before_truncate_;
  batch.added = TakeAdded();
  batch.prepared = prepared_.list();
  batch.ended_files = prepared_.TakeEnded();
  batch.notices = std::exchange(notices_, {});
  batch.begin = std::exchange(taken_to_, position_);
  batch.end = position_;
  if (in_transaction_ && !touched_.empty()) TakePart();
  if (partly_taken_ || awaits_open_) batch.open = Open();
  batch.read_to = position_;
  if (partly_taken_ || awaits_open_) mysql::Join(batch.read_to, open_read_to_);
  rows_ = 0;
  batch.bytes = std::exchange(bytes_, 0);
  batch.last_commit = last_commit_;
  rows_at_begin_ = 0;
  bytes_at_begin_ = 0;
  return batch;
}

// The rows so far of the open transaction leave in a batch. Where old rows go before all new ones
// of a statement, a part of a statement does not do without the rest.
void Assembler::TakePart() {
  partly_taken_ = true;
  open_gtid_ = GtidText();
  ReadInPart();
  savepoints_.clear();
  taken_tables_ = touched_;
  for (const size_t table : touched_) {
    TableState& state = *tables_[table];
    Save(state, state.mark);
    if (!typemap::WholeRowIsKey(state.table.definition, state.table.target_options)) {
      state.rows_taken = std::max(state.rows_taken, state.rows_read);
    }
  }
}

std::string Assembler::GtidText() const {
  if (mysql_gtid_) return mysql_gtid_->ToString();
  return mariadb_gtid_ ? mariadb_gtid_->ToString() : std::string();
}

// The place of the event in the log, for messages.
std::string Assembler::Where(const binlog::EventHeader& header) const {
  std::string transaction = GtidText();
  if (!transaction.empty()) transaction.insert(0, ", transaction ");
  return fmt::format("log {} before {}{}", file_, header.end_offset, transaction);
}

}  // namespace penstock::stream
