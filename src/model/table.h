#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace penstock::model {

enum class SqlType : uint8_t {
  kTinyInt,
  kSmallInt,
  kMediumInt,
  kInt,
  kBigInt,
  kDecimal,
  kFloat,
  kDouble,
  kBit,
  kChar,
  kVarChar,
  kText,  // TINYTEXT to LONGTEXT
  kBinary,
  kVarBinary,
  kBlob,  // TINYBLOB to LONGBLOB
  kDate,
  kDateTime,
  kTimestamp,
  kTime,
  kYear,
  kEnum,
  kSet,
  kJson,      // MySQL's binary JSON; MariaDB's JSON is LONGTEXT with a check and arrives as kText
  kGeometry,  // GEOMETRY, POINT, ..., GEOMETRYCOLLECTION
  kVector,
  kUuid,         // MariaDB
  kInet4,        // MariaDB
  kInet6,        // MariaDB
  kUnsupported,  // `type_text` names it
};

struct Column {
  std::string name;
  SqlType type = SqlType::kUnsupported;
  std::string type_text;  // information_schema COLUMN_TYPE, as the server prints it
  bool is_unsigned = false;
  bool nullable = true;
  uint32_t precision = 0;  // DECIMAL digits; BIT bits; YEAR(2) has 2, YEAR none
  uint32_t scale = 0;      // DECIMAL fraction digits; fraction digits of DATETIME, TIMESTAMP, TIME
  uint64_t length = 0;     // BINARY, VARBINARY: bytes; CHAR, VARCHAR: characters; VECTOR: numbers
  std::string charset;     // of text, ENUM, SET; empty for the others
  std::string collation;
  std::vector<std::string> labels;  // ENUM, SET: in order, UTF-8
  bool compressed = false;          // MariaDB's COMPRESSED: the log holds it deflated
  bool in_log = true;  // false: generated, and the server leaves it out of updated rows in its log

  bool operator==(const Column&) const = default;
};

// What a column's definition says of rows that are given no value.
struct ColumnDefault {
  enum class Kind : uint8_t {
    kNone,    // nothing
    kNull,    // NULL
    kNumber,  // `text` is a literal: -1.50
    kText,    // `text` is what a string literal stands for
  };
  Kind kind = Kind::kNone;
  std::string text = {};

  bool operator==(const ColumnDefault&) const = default;
};

struct TableName {
  std::string schema;
  std::string table;

  auto operator<=>(const TableName&) const = default;
  // "schema.table", for people
  std::string ToString() const { return schema + "." + table; }
};

// A source table as it is at one position of the log. Column order is the server's.
struct Table {
  TableName name;
  std::string engine;          // "InnoDB", "Aria", ...
  std::string collation = {};  // of text columns that name none; empty: not known
  std::vector<Column> columns;
  std::vector<size_t> key;  // columns of the primary key in key order, else of the first unique
                            // key without nullable columns; empty: the table has neither
  bool key_is_primary = false;
  // Columns that only the log has, after the others: the times of a system-versioned table that
  // does not declare them, then MariaDB's hashes of unique keys too long for an index.
  size_t hidden_columns = 0;
  // Of MariaDB's system-versioned tables: the column of the log, hidden ones included, that tells
  // when a row ended. Rows that have ended are not rows of the table, yet the log has them.
  std::optional<size_t> row_end = std::nullopt;

  bool operator==(const Table&) const = default;
};

// A short text that differs whenever two definitions differ in what rows are read and told apart
// by: name, columns and primary key. The engine does not count, nor which unique key was chosen
// where there is no primary one: another may come while the chosen one stays as good as it was.
std::string Fingerprint(const Table& table);

// Takes the columns out of `now` that `before` has not, so that the two are equal where nothing
// else was done. Of a column whose collation is not known to `before`, so it is in `now` then.
void RemoveAdded(const Table& before, Table& now);

// "DECIMAL", "VARCHAR", ...
std::string_view SqlTypeName(SqlType type);

}  // namespace penstock::model
