#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ddl/added_column.h"
#include "ddl/tokenizer.h"
#include "model/table.h"

namespace penstock::ddl {

enum class StatementKind : uint8_t {
  kBegin,
  kCommit,
  kRollback,
  kSavepoint,       // `savepoint` names it
  kRollbackTo,      // `savepoint` names it
  kXaStart,         // XA START or BEGIN
  kXaEnd,           // `xid` names it, and that of the next two
  kXaCommit,        // of a transaction that was prepared
  kXaRollback,      // likewise
  kTableChange,     // creates, changes, renames or drops `tables` (not temporary ones)
  kTruncate,        // empties `tables`, which is one
  kHarmlessChange,  // of `tables`, but neither a column nor a row: indexes, comments, engines
  kColumnAddition,  // adds columns, `added`, to `tables`, which is one, and is harmless beside that
  kKeyChange,       // drops indexes or constraints of `tables`, not their primary key
  kDataChange,   // INSERT, UPDATE, DELETE and kin as a statement: rows that no row event carries;
                 // `tables` holds every name it mentions
  kRoutineCall,  // SELECT f(), CALL, DO as a statement: the rows that a routine, `tables`[0],
                 // changes in whatever table, and that no row event carries
  kOther,        // views, users, grants, temporary tables, routines, ...
};

// What a statement of the log means to a reader of row events.
struct Statement {
  StatementKind kind = StatementKind::kOther;
  // A name without a schema gets the current one. DROP DATABASE names its schema with an empty
  // table: every table in it.
  std::vector<model::TableName> tables;
  std::string savepoint;
  std::string xid = {};  // X'61',X'6C',1: both parts in hexadecimal, and the format
  std::vector<AddedColumn> added = {};
  // Of `tables` and beside them: those that may have come to be, or got this name, by it.
  std::vector<model::TableName> made = {};
  // Of `tables`: those that are dropped, or lose this name.
  std::vector<model::TableName> gone = {};
};

// Reads a statement of the binary log. Never fails: what it does not recognize is kOther.
Statement Classify(std::string_view sql, std::string_view current_schema, SqlMode mode);

}  // namespace penstock::ddl
