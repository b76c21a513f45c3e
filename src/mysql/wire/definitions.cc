#include "mysql/wire/definitions.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "mysql/wire/column_type.h"
#include "mysql/wire/labels.h"

namespace penstock::mysql {
namespace {

using model::Column;
using model::Table;
using model::TableName;

// Tables asked for in one query: a statement of some 40 KB.
constexpr size_t kNamesPerQuery = 500;

std::string LowerAscii(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

std::string Cell(const TextRow& row, size_t index) { return row[index].value_or(""); }

// EXTRA of VIRTUAL and STORED (PERSISTENT) columns; a mere default is "DEFAULT_GENERATED".
bool IsGenerated(std::string_view extra) {
  return extra.find("VIRTUAL GENERATED") != std::string_view::npos ||
         extra.find("STORED GENERATED") != std::string_view::npos;
}

// MariaDB 11.8 leaves generated columns out of the images of updated and deleted rows, whatever
// binlog_row_image says; MySQL 9.7 and MariaDB 10.11 do not (tried). What the versions between do
// is not known.
bool LogsGeneratedColumns(const ServerInfo& server) {
  constexpr uint32_t kOmittedSince = 110000;
  return server.flavour != Flavour::kMariadb || server.number < kOmittedSince;
}

// An index that the optimizer is told not to see may not be named in a statement.
std::string_view HiddenIndexCondition(const ServerInfo& server) {
  if (server.flavour == Flavour::kMariadb)
    return server.number >= 100'600 ? "AND IGNORED='NO' " : "";
  return server.number >= 80'000 ? "AND IS_VISIBLE='YES' " : "";
}

// A batch of tables of one schema being read. Rows are matched to tables here, not by the server:
// information_schema of some servers compares names without case even where tables differ by case.
class Batch {
 public:
  Batch(bool case_sensitive, std::string schema)
      : case_sensitive_(case_sensitive), schema_(std::move(schema)) {}

  void Add(const TableName& name) { asked_.push_back(name); }
  bool full() const { return asked_.size() >= kNamesPerQuery; }
  const std::string& schema() const { return schema_; }

  Status Read(Connection& connection, const std::stop_token& stop, std::map<TableName, Table>& out);

 private:
  struct KeyPart {
    std::string column;
    bool is_prefix = false;
    bool is_expression = false;
    bool is_hash = false;
  };
  using Keys = std::map<std::string, std::vector<KeyPart>>;  // unique ones, by name

  std::string KeyOf(const std::string& name) const {
    return case_sensitive_ ? name : LowerAscii(name);
  }
  // Rows of information_schema.`view` about the tables asked for: `cells` come after the table's
  // schema and name.
  Result<std::vector<TextRow>> Select(Connection& connection, std::string_view view,
                                      std::string_view cells, std::string_view conditions,
                                      const std::stop_token& stop) const;
  Status ReadTables(Connection& connection, const std::stop_token& stop);
  Status ReadColumns(Connection& connection, const std::stop_token& stop);
  Status ReadLabels(Connection& connection, const std::stop_token& stop);
  Status ReadKeys(Connection& connection, const std::stop_token& stop);
  Status ReadRowEnds(Connection& connection, const std::stop_token& stop);
  static void ChooseKey(const Keys& keys, Table& table);
  static void CountHidden(const Keys& keys, Table& table);

  bool case_sensitive_;
  std::string schema_;
  std::vector<TableName> asked_;
  std::map<std::string, Table> found_;  // by KeyOf(table)
  std::set<std::string> versioned_;     // of them
};

Result<std::vector<TextRow>> Batch::Select(Connection& connection, std::string_view view,
                                           std::string_view cells, std::string_view conditions,
                                           const std::stop_token& stop) const {
  // MariaDB takes a list of names that are equal but for case for the first of them alone. No table
  // is called ''.
  std::string names = asked_.size() > 1 ? "''" : "";
  std::set<std::string> keys;
  for (const TableName& name : asked_) {
    names += (names.empty() ? "" : ",") + QuoteString(name.table);
    keys.insert(KeyOf(name.table));
  }
  PENSTOCK_ASSIGN(
      std::vector<TextRow> rows,
      connection.Query(fmt::format("SELECT TABLE_SCHEMA, TABLE_NAME, {} FROM information_schema.{} "
                                   "WHERE TABLE_SCHEMA={} AND TABLE_NAME IN ({}) {}",
                                   cells, view, QuoteString(schema_), names, conditions),
                       stop));
  std::erase_if(rows, [&](const TextRow& row) {
    return KeyOf(Cell(row, 0)) != KeyOf(schema_) || !keys.contains(KeyOf(Cell(row, 1)));
  });
  return rows;
}

Status Batch::ReadTables(Connection& connection, const std::stop_token& stop) {
  PENSTOCK_ASSIGN(const auto rows,
                  Select(connection, "TABLES", "ENGINE, TABLE_TYPE, TABLE_COLLATION",
                         "AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')", stop));
  for (const TextRow& row : rows) {
    Table& table = found_[KeyOf(Cell(row, 1))];
    table.name = {.schema = Cell(row, 0), .table = Cell(row, 1)};
    table.engine = Cell(row, 2);
    table.collation = Cell(row, 4);
    if (Cell(row, 3) == "SYSTEM VERSIONED") versioned_.insert(KeyOf(Cell(row, 1)));
  }
  return {};
}

Status Batch::ReadColumns(Connection& connection, const std::stop_token& stop) {
  PENSTOCK_ASSIGN(
      const auto rows,
      Select(connection, "COLUMNS",
             "COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, CHARACTER_SET_NAME, COLLATION_NAME, EXTRA",
             "ORDER BY TABLE_NAME, ORDINAL_POSITION", stop));
  const bool logs_generated = LogsGeneratedColumns(connection.server());
  for (const TextRow& row : rows) {
    const auto table = found_.find(KeyOf(Cell(row, 1)));
    if (table == found_.end()) continue;
    Column& column = table->second.columns.emplace_back();
    column.name = Cell(row, 2);
    column.nullable = Cell(row, 4) != "NO";
    column.charset = Cell(row, 5);
    column.collation = Cell(row, 6);
    ParseColumnType(Cell(row, 3), column);
    column.in_log = logs_generated || !IsGenerated(Cell(row, 7));
  }
  return {};
}

Status Batch::ReadLabels(Connection& connection, const std::stop_token& stop) {
  for (auto& [key, table] : found_) {
    for (Column& column : table.columns) {
      if (!LabelsAreUnsure(column)) continue;
      PENSTOCK_TRY(ReadSureLabels(connection, table.name, column, stop));
    }
  }
  return {};
}

Status Batch::ReadKeys(Connection& connection, const std::stop_token& stop) {
  PENSTOCK_ASSIGN(const auto rows,
                  Select(connection, "STATISTICS", "INDEX_NAME, COLUMN_NAME, SUB_PART, INDEX_TYPE",
                         "AND NON_UNIQUE=0 ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX", stop));
  std::map<std::string, Keys> keys;
  for (const TextRow& row : rows) {
    keys[KeyOf(Cell(row, 1))][Cell(row, 2)].push_back({.column = Cell(row, 3),
                                                       .is_prefix = row[4].has_value(),
                                                       .is_expression = !row[3],
                                                       .is_hash = Cell(row, 5) == "HASH"});
  }
  for (const auto& [name, of_table] : keys) {
    const auto table = found_.find(name);
    if (table == found_.end()) continue;
    ChooseKey(of_table, table->second);
    if (connection.server().flavour == Flavour::kMariadb) CountHidden(of_table, table->second);
  }
  return {};
}

// The times of a system-versioned table may be declared; else they are hidden, after the table's
// columns. The server adds the end to the primary key where it is declared: among the rows that are
// current it is always the same.
Status Batch::ReadRowEnds(Connection& connection, const std::stop_token& stop) {
  PENSTOCK_ASSIGN(const auto rows,
                  Select(connection, "COLUMNS", "COLUMN_NAME, GENERATION_EXPRESSION",
                         "AND GENERATION_EXPRESSION IN ('ROW START', 'ROW END')", stop));
  for (const TextRow& row : rows) {
    const auto table = found_.find(KeyOf(Cell(row, 1)));
    if (table == found_.end()) continue;
    std::vector<Column>& columns = table->second.columns;
    const auto column = std::ranges::find(columns, Cell(row, 2), &Column::name);
    if (column == columns.end()) continue;
    column->in_log = true;  // unlike other generated ones
    if (Cell(row, 3) != "ROW END") continue;
    table->second.row_end = static_cast<size_t>(column - columns.begin());
    std::erase(table->second.key, *table->second.row_end);
  }
  for (const std::string& name : versioned_) {
    Table& table = found_[name];
    if (table.row_end) continue;
    table.row_end = table.columns.size() + 1;
    table.hidden_columns += 2;
  }
  return {};
}

// A unique key too long for an index is kept by MariaDB as a hash, in a column of its own that only
// the log shows. Engines that have hash indexes of their own need none.
void Batch::CountHidden(const Keys& keys, Table& table) {
  if (table.engine == "MEMORY" || table.engine == "HEAP") return;
  table.hidden_columns = static_cast<size_t>(
      std::ranges::count_if(keys, [](const auto& key) { return key.second.front().is_hash; }));
}

// The primary key, else the unique key with the fewest columns (then the first name) that names
// every row: whole columns, none of them nullable.
void Batch::ChooseKey(const Keys& keys, Table& table) {
  for (const auto& [key_name, parts] : keys) {
    std::vector<size_t> columns;
    bool usable = true;
    const bool primary = key_name == "PRIMARY";
    for (const KeyPart& part : parts) {
      const auto column = std::ranges::find(table.columns, part.column, &Column::name);
      usable = usable && !part.is_expression && column != table.columns.end() &&
               (primary || (!part.is_prefix && !column->nullable));
      if (usable) columns.push_back(static_cast<size_t>(column - table.columns.begin()));
    }
    if (!usable) continue;
    if (primary || table.key.empty() || columns.size() < table.key.size()) {
      table.key = std::move(columns);
      table.key_is_primary = primary;
    }
    if (primary) return;
  }
}

Status Batch::Read(Connection& connection, const std::stop_token& stop,
                   std::map<TableName, Table>& out) {
  PENSTOCK_TRY(ReadTables(connection, stop));
  if (!found_.empty()) {
    PENSTOCK_TRY(ReadColumns(connection, stop));
    PENSTOCK_TRY(ReadLabels(connection, stop));
    PENSTOCK_TRY(ReadKeys(connection, stop));
    if (!versioned_.empty()) PENSTOCK_TRY(ReadRowEnds(connection, stop));
  }
  for (const TableName& name : asked_) {
    const auto table = found_.find(KeyOf(name.table));
    if (table != found_.end()) out.emplace(name, table->second);
  }
  asked_.clear();
  found_.clear();
  versioned_.clear();
  return {};
}

}  // namespace

Result<bool> NamesIgnoreCase(Connection& connection, std::stop_token stop) {
  PENSTOCK_ASSIGN(const auto setting,
                  connection.Query("SELECT @@global.lower_case_table_names", std::move(stop)));
  return !setting.empty() && Cell(setting[0], 0) != "0";
}

// Older servers have no such variable.
Result<bool> LogsColumnNames(Connection& connection, std::stop_token stop) {
  PENSTOCK_ASSIGN(
      const auto setting,
      connection.Query("SHOW GLOBAL VARIABLES LIKE 'binlog\\_row\\_metadata'", std::move(stop)));
  return !setting.empty() && Cell(setting[0], 1) == "FULL";
}

Result<std::map<TableName, Table>> ReadDefinitions(Connection& connection,
                                                   const std::vector<TableName>& names,
                                                   std::stop_token stop) {
  PENSTOCK_ASSIGN(const bool ignore_case, NamesIgnoreCase(connection, stop));

  // Grouped by schema: servers look a schema up, but read all of them for a list of pairs.
  std::vector<TableName> sorted = names;
  std::ranges::sort(sorted);
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  std::map<TableName, Table> tables;
  for (size_t i = 0; i < sorted.size();) {
    Batch batch(!ignore_case, sorted[i].schema);
    for (; i < sorted.size() && sorted[i].schema == batch.schema() && !batch.full(); ++i) {
      batch.Add(sorted[i]);
    }
    PENSTOCK_TRY(batch.Read(connection, stop, tables));
  }
  return tables;
}

Result<std::string> FindIndex(Connection& connection, const TableName& table,
                              const std::vector<std::string>& columns, std::stop_token stop) {
  PENSTOCK_ASSIGN(
      const auto rows,
      connection.Query(fmt::format("SELECT INDEX_NAME, COLUMN_NAME FROM "
                                   "information_schema.STATISTICS WHERE TABLE_SCHEMA = {} AND "
                                   "TABLE_NAME = {} AND INDEX_TYPE = 'BTREE' AND SUB_PART IS NULL "
                                   "{}ORDER BY NON_UNIQUE, INDEX_NAME, SEQ_IN_INDEX",
                                   QuoteString(table.schema), QuoteString(table.table),
                                   HiddenIndexCondition(connection.server())),
                       stop));
  for (size_t i = 0; i < rows.size();) {
    const std::string name = Cell(rows[i], 0);
    size_t alike = 0;
    bool is_prefix = true;
    for (; i < rows.size() && Cell(rows[i], 0) == name; ++i) {
      if (alike == columns.size() || !is_prefix) continue;
      is_prefix = LowerAscii(Cell(rows[i], 1)) == LowerAscii(columns[alike]);
      alike += is_prefix ? 1 : 0;
    }
    if (alike == columns.size()) return name;
  }
  return std::string();
}

}  // namespace penstock::mysql
