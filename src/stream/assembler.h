#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "ddl/statement.h"
#include "model/position.h"
#include "mysql/binlog/event.h"
#include "mysql/binlog/row_image.h"
#include "mysql/wire/connection.h"
#include "stream/added_columns.h"
#include "stream/batch.h"
#include "stream/prepared_transactions.h"

namespace penstock::stream {

// Versions [begin, end) that no earlier attempt has used.
struct VersionRange {
  uint64_t begin = 0;
  uint64_t end = 0;
};

// Turns the events of a log into batches: follows transactions, decodes the rows of the tables it
// was given straight into column buffers, numbers them, and takes the rows of undone transactions
// and savepoints back. A plain object that is stepped: no threads, no sockets.
//
// Grammar of a log, as far as it matters here (MySQL; MariaDB's GTID event is its own BEGIN):
//   log         := (rotate | format | transaction | statement | heartbeat)*
//   transaction := gtid? BEGIN (table_map+ rows+ | SAVEPOINT | ROLLBACK TO | other query)* end
//   end         := xid | COMMIT | ROLLBACK | xa_prepare
//   statement   := gtid? query              (DDL and the like: ends itself)
// An XA transaction begins with XA START, or with MariaDB's GTID event alone. Its rows are held
// until its XA COMMIT, a statement by itself: see PreparedTransactions.
class Assembler {
 public:
  using ReserveVersions = std::function<Result<VersionRange>()>;

  // Every row decoded takes versions from ranges that `reserve` answers, each above the one before.
  // `held`: where what is held of XA transactions is kept.
  static Result<std::unique_ptr<Assembler>> Make(std::vector<StreamTable> tables, StreamStart start,
                                                 ReserveVersions reserve,
                                                 PreparedTransactions::Options held = {});

  // Takes the next event of the log. What cannot be followed right of one table (a changed
  // definition, a statement instead of rows, a value that its key cannot hold) fences that table.
  // kNeedsUser for what concerns more than that (an incident, a routine logged as a call):
  // everything before the event's transaction is whole, and may still be taken.
  Status Consume(const binlog::Event& event);
  // What was held of an XA transaction that has been committed follows the event that tells of it:
  // while there is more, the next event is Replay's, in place of Consume.
  bool replaying() const { return replay_.has_value(); }
  Status Replay();

  // Takes the open transaction's rows of the table back, and passes over it from then on. Does
  // nothing to one that is fenced already.
  void FenceTable(size_t table, Error error, Heals heals = Heals::kByUser);

  // As the source's lower_case_table_names says; true before it is known.
  void set_names_ignore_case(bool ignore) { names_ignore_case_ = ignore; }

  // As the source's binlog_row_metadata says by now: FULL; true before it is known.
  void set_names_are_logged(bool logged) { names_are_logged_ = logged; }
  // How the source prints types.
  void set_source(const mysql::ServerInfo& source) { source_ = source; }

  // As StreamOptions::awaits.
  void set_awaits(std::function<bool(const model::TableName&)> awaits) {
    awaits_ = std::move(awaits);
  }

  // Between log sessions: as the server names itself whose log comes next. Places in the files of
  // another one are forgotten, but where they decide.
  void set_server(const std::string& server);

  // Read by file, of MySQL, and position() also holds every GTID that was logged before it, and
  // nothing without a GTID was logged since its file began.
  bool knows_all_gtids() const;
  // Between log sessions: how the log is followed from position() on.
  void set_mechanism(model::Mechanism mechanism);

  // The log session was lost: forgets the table maps, and of the open transaction what has not left
  // in a batch. The next event must be the first after position().
  void Reconnect();

  // End of the last whole transaction.
  const model::Position& position() const { return position_; }
  // All of which the destination may hold something: position(), what an attempt before had sent,
  // what the tables' loads have of later transactions, and what has left of one that is open.
  model::Position Furthest() const;
  bool in_transaction() const { return in_transaction_; }
  uint64_t rows() const { return rows_; }
  uint64_t bytes() const { return bytes_; }

  // There is something to tell that no row event may come after in the same batch: outside of a
  // transaction the batch is to be taken now.
  bool cut_due() const { return truncated_ || added_ || !fences_.empty() || !made_.empty(); }

  // Makes safe on the disk what is prepared: before each batch.
  Status SecurePrepared() { return prepared_.Secure(); }
  // All rows so far as a batch, those of an open transaction too.
  Batch TakeBatch();

 private:
  struct Mark {
    clickhouse::BlockMark block;
    RowCounts counts;
    std::vector<model::ChangeCounts> changes;
    size_t rereads = 0;
  };
  struct TableState {
    StreamTable table;        // as it is read: excluded columns have no type
    model::Table definition;  // as it is
    typemap::TableWriter writer;
    clickhouse::Block block;  // made when the table is touched: most of many tables are at rest
    RowCounts counts;
    std::vector<std::string> rereads;
    uint64_t reread_version = 0;
    bool may_reread = false;  // the key in the log is the destination's
    bool fenced = false;
    std::vector<std::string> unproven = {};  // columns that were added; no table map was seen yet
    bool touched = false;    // by the open transaction; `mark` is then where it began
    bool in_batch = false;   // is among batch_tables_
    uint64_t rows_read = 0;  // of the open transaction
    uint64_t rows_taken =
        0;  // of the one in taken_tables_: its first rows, which are not read again
    Mark mark;
  };
  struct Savepoint {
    std::string name;
    std::map<size_t, Mark> marks;  // of the tables touched before it
    bool in_taken_rows;            // set among rows that have left in a batch
    uint64_t rows;
    uint64_t bytes;
  };
  // Finds names as they stand in the log without copying them.
  struct NameLess {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the library looks for it
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      if (const auto schemas = std::string_view(a.schema) <=> std::string_view(b.schema);
          schemas != 0) {
        return schemas < 0;
      }
      return std::string_view(a.table) < std::string_view(b.table);
    }
  };
  // What a table id of the log stands for until its next table map.
  struct MappedTable {
    size_t table;
    std::string types;
    std::vector<uint16_t> metadata;
    binlog::RowImageDecoder decoder;
  };

  Assembler(StreamStart start, ReserveVersions reserve, PreparedTransactions prepared);

  // What is known of the GTIDs in the file that is read.
  enum class FileGtids : uint8_t { kUnknown, kBefore, kAll };

  void DropPassedStarts();
  void KnowTo(const model::Position& position);
  Status OnFileBegin(const binlog::EventHeader& header);
  Status On(const binlog::Rotate& rotate);
  Status On(const binlog::PreviousGtids& previous, const binlog::EventHeader& header);
  Status On(const binlog::MysqlGtidEvent& gtid);
  Status On(const binlog::MariadbGtidEvent& gtid);
  Status On(const binlog::Query& query, const binlog::EventHeader& header);
  Status On(const binlog::XaPrepare& prepare, const binlog::EventHeader& header);
  Status On(const binlog::TableMap& map);
  Status On(const binlog::Rows& rows);
  // XA COMMIT: its rows are replayed.
  Status CommitPrepared(const std::string& xid, const binlog::EventHeader& header);
  void EndReplay();
  void FenceHeld(const std::set<model::TableName>& tables, std::string_view why);
  void CommitUnknown(const std::string& xid);
  // The open transaction, or the statement that is one, comes before `position`.
  bool ComesBefore(const model::Position& position) const;
  // Likewise before the table's own start.
  bool ComesBefore(const TableState& state) const;
  Status OnRows(const binlog::Rows& rows);
  Status OnOurTables(const ddl::Statement& statement, const binlog::Query& query);
  void OnMade(const model::TableName& name, ddl::StatementKind kind);
  bool IsAmong(const std::vector<model::TableName>& named, const TableState& state) const;
  void AddColumns(size_t table, const ddl::Statement& statement, const binlog::Query& query);
  // When the rows before it have left.
  std::optional<AddedColumns> TakeAdded();
  // Whether the log tells enough of columns that were added.
  Status Prove(TableState& state, const binlog::TableMap& map);
  // An error that concerns the table alone ends only that.
  Status FenceIfItsOwn(size_t table, Status status);

  void Begin();
  void Commit(const binlog::EventHeader& header);
  void Undo();
  void FenceUntilResync(size_t table, std::string_view why);
  // Those of the open transaction, of which too much was written, likewise.
  void FenceTouched(std::string_view why);
  void TakeBack();
  void EndTransaction();
  // What begins must be the transaction that was read in part; a statement by itself is not.
  void MeetOpenTransaction();
  void MissOpenTransaction();
  // What begins may be the transaction that some table's own start lies in.
  void MeetStartParts();
  // The rows being read have left in a batch before.
  bool ReadsTakenRows() const;
  void TakePart();
  OpenTransaction Open() const;
  void SetSavepoint(const std::string& name);
  Status RollbackTo(const std::string& name);
  Status RollbackHeldTo(const std::string& name);
  static void Save(const TableState& state, Mark& mark);
  static void Restore(TableState& state, const Mark& mark);
  void Touch(size_t table);
  void TrackOffset(const binlog::EventHeader& header);
  void Advance(const binlog::EventHeader& header);

  Status AppendRows(TableState& state, binlog::RowImageDecoder& decoder, const binlog::Rows& rows);
  Status Insert(TableState& state, model::Row row);
  Status Delete(TableState& state, model::Row row);
  Status Update(TableState& state, model::Row before, model::Row after);
  Status AppendRow(TableState& state, model::Row row, clickhouse::ChangeKind kind);
  Status AppendDeletion(TableState& state, model::Row row, uint64_t version);
  Result<uint64_t> VersionOfOldRow(const TableState& state);
  // Without `why`: since it may not be read again.
  static Failure NotWhole(const TableState& state);
  static Failure NotWhole(const TableState& state, std::string_view why);
  Result<uint64_t> NextVersion();
  // Moves `position` to what was read last, in the open transaction too.
  void AddRead(model::Position& position) const;
  void ReadInPart();
  void ForgetHead();
  std::string GtidText() const;  // of the transaction being read; empty without one
  std::string Where(const binlog::EventHeader& header) const;

  std::vector<std::unique_ptr<TableState>> tables_;
  std::vector<Fence> fences_;
  std::optional<size_t> truncated_;
  model::Position before_truncate_;
  struct PendingAddition {
    size_t table = 0;
    model::Position before;
    Addition addition;
  };
  std::optional<PendingAddition> added_;
  std::function<bool(const model::TableName&)> awaits_;
  std::vector<MadeTable> made_;
  bool names_are_logged_ = true;
  mysql::ServerInfo source_;
  bool names_ignore_case_ = true;
  std::map<model::TableName, size_t, NameLess> index_;
  std::unordered_map<uint64_t, std::optional<MappedTable>> mapped_;  // empty: not ours
  ReserveVersions reserve_;
  VersionRange versions_;
  std::optional<uint64_t> statement_version_;  // below those of rows the statement at hand wrote

  model::Position position_;
  model::Position taken_to_;  // `end` of the last batch
  std::string file_;          // being read; position_.file follows at transaction ends
  uint64_t offset_ = 0;
  uint64_t file_mark_ = 0;
  FileGtids file_gtids_ = FileGtids::kUnknown;
  bool is_known_ = false;  // the open transaction is in position_ already
  std::optional<model::MysqlGtid> mysql_gtid_;
  std::optional<model::MariadbGtid> mariadb_gtid_;
  uint64_t commit_micros_ = 0;
  UnixMicros last_commit_{};

  bool in_transaction_ = false;
  bool partly_taken_ = false;  // rows of the open transaction have left in a batch
  // Of the transaction at position_ rows have left in a batch, and its beginning is to be read
  // again.
  bool awaits_open_ = false;
  std::string open_gtid_;         // of the transaction that was taken in part
  model::Position open_read_to_;  // so far
  // Before this stream something was read up to here. Empty: not beyond the start.
  std::optional<model::Position> known_to_;
  std::vector<size_t> taken_tables_;  // those it has touched
  std::vector<size_t> start_parts_;   // tables whose start lies in a transaction that is to come
  std::vector<size_t> touched_;
  std::vector<size_t>
      batch_tables_;  // touched since the last batch, so that few of many are looked at
  std::vector<Savepoint> savepoints_;
  uint64_t rows_ = 0;
  uint64_t bytes_ = 0;
  uint64_t rows_at_begin_ = 0;
  uint64_t bytes_at_begin_ = 0;
  std::vector<model::Value> before_;
  std::vector<model::Value> after_;

  struct ReplayState {
    std::string xid;
    binlog::EventHeader header;  // of the event that is its end
    HeldEventsReader reader;
  };
  PreparedTransactions prepared_;
  std::string xid_;  // of the XA END last read
  std::optional<ReplayState> replay_;
  const bool prepared_unknown_;  // StreamStart's
  std::vector<std::string> notices_;
};

}  // namespace penstock::stream
