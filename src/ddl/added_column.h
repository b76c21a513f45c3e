#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ddl/cursor.h"
#include "model/table.h"

namespace penstock::ddl {

// A column that ALTER TABLE ... ADD COLUMN adds, in the statement's words.
struct AddedColumn {
  std::string name;
  std::string type;                         // its words in lower case: "int", "double precision"
  std::vector<std::string> arguments = {};  // numbers; of ENUM and SET the labels
  bool is_unsigned = false;
  std::string charset = {};  // in lower case; this and the next two: empty where it says nothing
  std::string collation = {};
  std::optional<bool> nullable = {};
  model::ColumnDefault default_value = {};
  bool first = false;
  std::string after = {};                   // a column; empty, and not first: it is the last one
  bool unless_there = false;                // IF NOT EXISTS
  std::optional<std::string> unclear = {};  // what of it is not known here, from this word on
};

// Reads what follows ADD, to its end: [COLUMN] name definition, or a list of these in brackets.
// Never fails: of what it does not know it says so.
std::vector<AddedColumn> ParseAddedColumns(Cursor& cursor, SqlMode mode);

}  // namespace penstock::ddl
