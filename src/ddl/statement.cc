#include "ddl/statement.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>

#include "ddl/cursor.h"

namespace penstock::ddl {
namespace {

Statement Of(StatementKind kind) { return {.kind = kind, .tables = {}, .savepoint = {}}; }

Statement TableChange(std::vector<model::TableName> tables) {
  return {.kind = StatementKind::kTableChange, .tables = std::move(tables), .savepoint = {}};
}

bool NamesPrimary(const Token& token) {
  return token.Is("PRIMARY") || Token{Token::Kind::kWord, token.text}.Is("PRIMARY");
}

// ALTER [COLUMN] c SET DEFAULT, ALTER INDEX i INVISIBLE and the like.
bool AltersNoColumnType(Cursor& cursor) {
  if (cursor.AcceptAny({"INDEX", "CHECK", "CONSTRAINT"})) return true;
  cursor.Accept("COLUMN");
  cursor.SkipIfExists();
  cursor.Name();
  return cursor.AcceptAny({"SET", "DROP"}) && cursor.Accept("DEFAULT");
}

std::vector<model::TableName> TableList(Cursor& cursor) {
  std::vector<model::TableName> tables;
  do {
    if (auto table = cursor.Table()) tables.push_back(std::move(*table));
  } while (cursor.AcceptSymbol(','));
  return tables;
}

// What one action of ALTER TABLE means for its table. Columns that it adds are added to `added`.
StatementKind ActionKind(std::span<const Token> action, std::string_view schema, SqlMode mode,
                         std::vector<AddedColumn>& added) {
  if (std::any_of(action.begin(), action.end(), NamesPrimary)) return StatementKind::kTableChange;
  const auto harmless_if = [](bool harmless) {
    return harmless ? StatementKind::kHarmlessChange : StatementKind::kTableChange;
  };
  Cursor cursor(action, schema);
  if (cursor.Accept("ADD")) {
    if (cursor.AcceptAny({"INDEX", "KEY", "UNIQUE", "FULLTEXT", "SPATIAL", "CONSTRAINT", "FOREIGN",
                          "CHECK", "PARTITION"})) {
      return StatementKind::kHarmlessChange;
    }
    if (action.size() > 2 && action[1].Is("VECTOR") &&
        (action[2].Is("INDEX") || action[2].Is("KEY"))) {
      return StatementKind::kHarmlessChange;
    }
    const auto columns = ParseAddedColumns(cursor, mode);
    added.insert(added.end(), columns.begin(), columns.end());
    return StatementKind::kColumnAddition;
  }
  if (cursor.Accept("DROP")) {
    if (cursor.AcceptAny({"INDEX", "KEY", "CONSTRAINT"})) return StatementKind::kKeyChange;
    return harmless_if(cursor.AcceptAny({"FOREIGN", "CHECK"}));
  }
  if (cursor.Accept("RENAME")) return harmless_if(cursor.AcceptAny({"INDEX", "KEY"}));
  if (cursor.Accept("ALTER")) return harmless_if(AltersNoColumnType(cursor));
  // Of partitions: the ones that keep every row.
  if (cursor.AcceptAny(
          {"REORGANIZE", "REBUILD", "OPTIMIZE", "ANALYZE", "CHECK", "REPAIR", "COALESCE"})) {
    return harmless_if(cursor.Accept("PARTITION"));
  }
  if (cursor.Accept("REMOVE")) return harmless_if(cursor.Accept("PARTITIONING"));
  return harmless_if(
      cursor.AcceptAny({"ENGINE", "COMMENT", "AUTO_INCREMENT", "ALGORITHM", "LOCK", "FORCE",
                        "ROW_FORMAT", "KEY_BLOCK_SIZE", "ENABLE", "DISABLE", "STATS_PERSISTENT",
                        "STATS_AUTO_RECALC", "STATS_SAMPLE_PAGES", "PARTITION"}));
}

// The gravest of the actions of one ALTER TABLE; two kinds that are not harmless are more than
// either.
StatementKind AlterKind(std::span<const Token> actions, std::string_view schema, SqlMode mode,
                        std::vector<AddedColumn>& added) {
  StatementKind kind = StatementKind::kHarmlessChange;
  int depth = 0;
  size_t start = 0;
  for (size_t i = 0; i <= actions.size() && !actions.empty(); ++i) {
    if (i < actions.size()) {
      if (actions[i].IsSymbol('(')) ++depth;
      if (actions[i].IsSymbol(')')) --depth;
      if (depth != 0 || !actions[i].IsSymbol(',')) continue;
    }
    const StatementKind action = ActionKind(actions.subspan(start, i - start), schema, mode, added);
    start = i + 1;
    if (action == StatementKind::kHarmlessChange || action == kind) continue;
    if (kind != StatementKind::kHarmlessChange) return StatementKind::kTableChange;
    kind = action;
  }
  return kind;
}

// Other tables that an ALTER TABLE touches: RENAME [TO|AS|=] b, EXCHANGE PARTITION p WITH TABLE b,
// CONVERT PARTITION p TO TABLE b.
void AddOtherTables(std::span<const Token> rest, std::string_view schema, Statement& statement) {
  for (size_t i = 0; i + 1 < rest.size(); ++i) {
    const bool renames = rest[i].Is("RENAME");
    if (!renames && !rest[i].Is("TABLE")) continue;
    Cursor target(rest.subspan(i + 1), schema);
    if (renames && target.AcceptAny({"COLUMN", "INDEX", "KEY"})) continue;
    target.AcceptAny({"TO", "AS"});
    target.AcceptSymbol('=');
    if (auto table = target.Table()) {
      if (renames) {
        statement.made.push_back(*table);
        statement.gone = {statement.tables[0]};
      }
      statement.tables.push_back(std::move(*table));
    }
  }
}

// MariaDB's WAIT n and NOWAIT stand between a table's name and what is done to it.
void SkipWait(Cursor& cursor) {
  if (cursor.Accept("WAIT")) cursor.Skip();
  cursor.Accept("NOWAIT");
}

// Whether a comment of the text is one that servers of some versions execute, and others do not.
bool HasExecutableComment(std::string_view sql) {
  return sql.find("/*!") != sql.npos || sql.find("/*M!") != sql.npos;
}

Statement Alter(Cursor& cursor, std::string_view sql, std::string_view schema, SqlMode mode) {
  bool ignore = false;  // rows that a new unique key forbids are deleted
  for (bool more = true; more;) {
    const bool ignored = cursor.Accept("IGNORE");
    ignore = ignore || ignored;
    more = cursor.AcceptAny({"ONLINE", "OFFLINE"}) || ignored;
  }
  if (cursor.AcceptAny({"DATABASE", "SCHEMA"}) || !cursor.Accept("TABLE")) {
    return Of(StatementKind::kOther);
  }
  cursor.SkipIfExists();
  auto table = cursor.Table();
  if (!table) return Of(StatementKind::kOther);
  SkipWait(cursor);
  Statement statement = TableChange({std::move(*table)});
  if (!ignore) statement.kind = AlterKind(cursor.Rest(), schema, mode, statement.added);
  if (!statement.added.empty() && HasExecutableComment(sql)) {
    statement.added.back().unclear = "/*!";
  }
  AddOtherTables(cursor.Rest(), schema, statement);
  return statement;
}

// DROP INDEX name ON table
Statement DropIndex(Cursor& cursor) {
  cursor.SkipIfExists();
  const bool primary = !cursor.AtEnd() && NamesPrimary(cursor.Peek());
  cursor.Name();
  if (!cursor.Accept("ON")) return Of(StatementKind::kOther);
  auto table = cursor.Table();
  if (!table) return Of(StatementKind::kOther);
  Statement statement = TableChange({std::move(*table)});
  if (!primary) statement.kind = StatementKind::kKeyChange;
  return statement;
}

Statement Create(Cursor& cursor) {
  if (cursor.Accept("OR")) cursor.Accept("REPLACE");
  if (!cursor.Accept("TABLE")) return Of(StatementKind::kOther);
  const bool unless_there = cursor.SkipIfExists();
  auto table = cursor.Table();
  if (!table) return Of(StatementKind::kOther);
  Statement statement = TableChange({std::move(*table)});
  // Logged even when the table was there and nothing happened.
  if (unless_there) statement.kind = StatementKind::kHarmlessChange;
  statement.made = statement.tables;
  return statement;
}

Statement Gone(std::vector<model::TableName> tables) {
  Statement statement = TableChange(std::move(tables));
  statement.gone = statement.tables;
  return statement;
}

Statement Drop(Cursor& cursor) {
  if (cursor.AcceptAny({"DATABASE", "SCHEMA"})) {
    cursor.SkipIfExists();
    auto schema = cursor.Name();
    return schema ? Gone({{std::move(*schema), ""}}) : Of(StatementKind::kOther);
  }
  if (cursor.Accept("INDEX")) return DropIndex(cursor);
  if (!cursor.AcceptAny({"TABLE", "TABLES"})) return Of(StatementKind::kOther);
  cursor.SkipIfExists();
  return Gone(TableList(cursor));
}

Statement Rename(Cursor& cursor) {
  if (!cursor.AcceptAny({"TABLE", "TABLES"})) return Of(StatementKind::kOther);
  cursor.SkipIfExists();
  Statement statement = TableChange({});
  do {
    if (auto from = cursor.Table()) {
      statement.gone.push_back(*from);
      statement.tables.push_back(std::move(*from));
    }
    SkipWait(cursor);
    if (!cursor.Accept("TO")) break;
    auto to = cursor.Table();
    if (!to) continue;
    statement.made.push_back(*to);
    statement.tables.push_back(std::move(*to));
  } while (cursor.AcceptSymbol(','));
  return statement;
}

Statement Truncate(Cursor& cursor) {
  cursor.Accept("TABLE");
  auto table = cursor.Table();
  if (!table) return Of(StatementKind::kOther);
  Statement statement = Of(StatementKind::kTruncate);
  statement.tables.push_back(std::move(*table));
  return statement;
}

Statement Rollback(Cursor& cursor) {
  cursor.Accept("WORK");
  if (!cursor.Accept("TO")) return Of(StatementKind::kRollback);
  cursor.Accept("SAVEPOINT");
  Statement statement = Of(StatementKind::kRollbackTo);
  statement.savepoint = cursor.Name().value_or("");
  return statement;
}

// The id is the server's own text: XA COMMIT X'6c',X'',1
Statement Xa(Cursor& cursor, std::string_view sql) {
  if (cursor.AcceptAny({"START", "BEGIN"})) return Of(StatementKind::kXaStart);
  Statement statement;
  if (cursor.Accept("END")) statement.kind = StatementKind::kXaEnd;
  if (cursor.Accept("COMMIT")) statement.kind = StatementKind::kXaCommit;
  if (cursor.Accept("ROLLBACK")) statement.kind = StatementKind::kXaRollback;
  const size_t xid = std::min(sql.find("X'"), sql.size());
  statement.xid = sql.substr(xid);
  for (char& c : statement.xid) {
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  }
  return statement;
}

// A data change may name its tables in many places: every name in it counts.
Statement DataChange(Cursor& cursor) {
  Statement statement = Of(StatementKind::kDataChange);
  while (!cursor.AtEnd()) {
    if (auto table = cursor.Table()) {
      statement.tables.push_back(std::move(*table));
    } else {
      cursor.Skip();
    }
  }
  return statement;
}

// Servers log such a call only where the routine wrote and its session does not log rows.
Statement RoutineCall(Cursor& cursor) {
  Statement statement = Of(StatementKind::kRoutineCall);
  if (auto routine = cursor.Table()) statement.tables.push_back(std::move(*routine));
  return statement;
}

}  // namespace

Statement Classify(std::string_view sql, std::string_view current_schema, SqlMode mode) {
  // What servers write around the rows of every transaction: without taking it apart.
  if (sql == "BEGIN") return Of(StatementKind::kBegin);
  if (sql == "COMMIT") return Of(StatementKind::kCommit);
  if (sql == "ROLLBACK") return Of(StatementKind::kRollback);
  const std::vector<Token> tokens = Tokenize(sql, mode);
  Cursor cursor(tokens, current_schema);
  // MariaDB logs SET STATEMENT variable = value, ... FOR statement as it was typed.
  if (cursor.Accept("SET") && cursor.Accept("STATEMENT")) {
    while (!cursor.AtEnd() && !cursor.Accept("FOR")) cursor.Skip();
  }
  if (cursor.Accept("BEGIN")) return Of(StatementKind::kBegin);
  if (cursor.Accept("START")) {
    return Of(cursor.Accept("TRANSACTION") ? StatementKind::kBegin : StatementKind::kOther);
  }
  if (cursor.Accept("COMMIT")) return Of(StatementKind::kCommit);
  if (cursor.Accept("ROLLBACK")) return Rollback(cursor);
  if (cursor.Accept("SAVEPOINT")) {
    Statement statement = Of(StatementKind::kSavepoint);
    statement.savepoint = cursor.Name().value_or("");
    return statement;
  }
  if (cursor.Accept("XA")) return Xa(cursor, sql);
  if (cursor.Accept("ALTER")) return Alter(cursor, sql, current_schema, mode);
  if (cursor.Accept("CREATE")) return Create(cursor);
  if (cursor.Accept("DROP")) return Drop(cursor);
  if (cursor.Accept("RENAME")) return Rename(cursor);
  if (cursor.Accept("TRUNCATE")) return Truncate(cursor);
  if (cursor.AcceptAny({"INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "WITH"})) {
    return DataChange(cursor);
  }
  if (cursor.AcceptAny({"SELECT", "CALL", "DO"})) return RoutineCall(cursor);
  return Of(StatementKind::kOther);
}

}  // namespace penstock::ddl
