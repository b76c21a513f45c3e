#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "base/status.h"

struct sqlite3;
namespace SQLite {
class Statement;
}

namespace penstock::catalog {

struct Blob {
  std::string_view bytes;
};

// A parameter of a statement; monostate is NULL. Views live until the call returns.
using Parameter = std::variant<std::monostate, int64_t, std::string_view, Blob>;
using Parameters = std::initializer_list<Parameter>;

// SQLite's integers are signed: an unsigned one is stored with the same bits.
inline int64_t ToStored(uint64_t value) { return static_cast<int64_t>(value); }
inline int64_t ToStored(UnixMicros time) { return time.count(); }

// The current row of a query, by column from 0. Valid only inside the callback.
class SqlRow {
 public:
  explicit SqlRow(SQLite::Statement& statement) : statement_(statement) {}
  int64_t Int(int column) const;
  uint64_t Unsigned(int column) const { return static_cast<uint64_t>(Int(column)); }
  UnixMicros Time(int column) const { return UnixMicros(Int(column)); }
  bool IsNull(int column) const;
  std::string Text(int column) const;  // of text and blobs, any bytes

 private:
  SQLite::Statement& statement_;
};

// One connection to a SQLite file: the only place that knows the library, and where its exceptions
// end. One thread at a time. Statements are prepared once and kept, by their text: let there be
// few. Errors have origin "catalog": no room on the disk is kExhausted, a broken constraint
// kConflict, a lock held by another program kRetry, a damaged or unreadable file kNeedsUser.
class Sqlite {
 public:
  // Opens the file, made with mode 0600 if missing, with WAL, synchronous=FULL and foreign keys.
  static Result<std::unique_ptr<Sqlite>> Open(const std::filesystem::path& file);
  ~Sqlite();

  // Statements without parameters and rows, separated by semicolons.
  Status Script(const char* sql);
  // One statement; the number of rows it changed.
  Result<int64_t> Run(const char* sql, Parameters parameters = {});
  // One statement with rows; an error from `each` ends it.
  Status Query(const char* sql, Parameters parameters,
               const std::function<Status(const SqlRow&)>& each);
  // The first cell of the first row; nullopt without a row.
  Result<std::optional<int64_t>> QueryInt(const char* sql, Parameters parameters = {});

  // The file as it is at one moment, in a new file of mode 0600, durable. Others may read and write
  // meanwhile.
  Status CopyTo(const std::filesystem::path& file);

  int64_t last_row_id() const;
  // SQLite ends a transaction by itself after some errors (a full disk).
  bool in_transaction() const;

 private:
  class Impl;
  explicit Sqlite(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::catalog
