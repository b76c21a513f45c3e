#include "catalog/inserts.h"

#include <string>
#include <utility>

namespace penstock::catalog {
namespace {

// The columns start_position, start_read_to and start_rows.
struct StoredStart {
  StoredStart(const std::optional<model::Position>& start,
              const std::optional<model::TransactionPart>& part) {
    if (start) position = start->Serialize();
    if (part) read_to = part->read_to.Serialize();
    if (part) rows = ToStored(part->rows);
  }
  std::optional<std::string> position;
  std::optional<std::string> read_to;
  int64_t rows = 0;
};

Parameter Nullable(const std::optional<std::string>& text) {
  return text ? Parameter(*text) : Parameter(std::monostate());
}

}  // namespace

Status StoreInsert(Sqlite& database, const InsertRecord& insert) {
  const StoredStart start(insert.start, insert.start_part);
  return database
      .Run(
          "INSERT OR REPLACE INTO inserts (table_id, target, version_begin, version_end, "
          "row_count, start_position, start_read_to, start_rows) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
          {insert.table_id, insert.target, ToStored(insert.version_begin),
           ToStored(insert.version_end), ToStored(insert.rows), Nullable(start.position),
           Nullable(start.read_to), start.rows})
      .map([](auto) {});
}

Status ForgetInsert(Sqlite& database, int64_t table_id) {
  return database.Run("DELETE FROM inserts WHERE table_id = ?", {table_id}).map([](auto) {});
}

Result<InsertRecord> ReadInsert(const SqlRow& row) {
  PENSTOCK_ASSIGN(auto start, model::Position::Parse(row.Text(5)));
  PENSTOCK_ASSIGN(auto start_part, ReadPart(row, 6));
  return InsertRecord{.table_id = row.Int(0),
                      .target = row.Text(1),
                      .version_begin = row.Unsigned(2),
                      .version_end = row.Unsigned(3),
                      .rows = row.Unsigned(4),
                      .start = std::move(start),
                      .start_part = std::move(start_part)};
}

Status StoreStart(Sqlite& database, int64_t table_id, const std::optional<model::Position>& start,
                  const std::optional<model::TransactionPart>& part) {
  PENSTOCK_TRY(ForgetInsert(database, table_id));
  return StoreStartOnly(database, table_id, start, part);
}

Status StoreStartOnly(Sqlite& database, int64_t table_id,
                      const std::optional<model::Position>& start,
                      const std::optional<model::TransactionPart>& part) {
  const StoredStart stored(start, part);
  return database
      .Run("UPDATE tables SET start_position = ?, start_read_to = ?, start_rows = ? WHERE id = ?",
           {Nullable(stored.position), Nullable(stored.read_to), stored.rows, table_id})
      .map([](auto) {});
}

Status StorePart(Sqlite& database, int64_t table_id, const model::TransactionPart& part) {
  return database
      .Run("UPDATE tables SET start_read_to = ?, start_rows = ? WHERE id = ?",
           {part.read_to.Serialize(), ToStored(part.rows), table_id})
      .map([](auto) {});
}

Result<std::optional<model::Position>> ReadPosition(const SqlRow& row, int column) {
  if (row.IsNull(column)) return std::nullopt;
  PENSTOCK_ASSIGN(model::Position position, model::Position::Parse(row.Text(column)));
  return position;
}

Result<std::optional<model::TransactionPart>> ReadPart(const SqlRow& row, int column) {
  PENSTOCK_ASSIGN(auto read_to, ReadPosition(row, column));
  if (!read_to) return std::nullopt;
  return model::TransactionPart{.read_to = *std::move(read_to), .rows = row.Unsigned(column + 1)};
}

}  // namespace penstock::catalog
