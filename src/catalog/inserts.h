#pragma once

#include <optional>
#include <string_view>

#include "base/status.h"
#include "catalog/catalog.h"
#include "catalog/sqlite.h"

namespace penstock::catalog {

// Inserts on record, and where tables start. What stores is to be called inside a write.

Status StoreInsert(Sqlite& database, const InsertRecord& insert);
Status ForgetInsert(Sqlite& database, int64_t table_id);

// Of one pipe, a row each for ReadInsert.
inline constexpr std::string_view kSelectInserts =
    "SELECT table_id, inserts.target, version_begin, version_end, row_count, "
    "inserts.start_position, inserts.start_read_to, inserts.start_rows FROM inserts "
    "JOIN tables ON tables.id = table_id WHERE pipe_id = ? ORDER BY table_id";
Result<InsertRecord> ReadInsert(const SqlRow& row);

// Nothing is on its way to the table, and what comes before `start` is there.
Status StoreStart(Sqlite& database, int64_t table_id, const std::optional<model::Position>& start,
                  const std::optional<model::TransactionPart>& part);
// Likewise, whatever is on its way: that stays on record.
Status StoreStartOnly(Sqlite& database, int64_t table_id,
                      const std::optional<model::Position>& start,
                      const std::optional<model::TransactionPart>& part);
// Where the table has come to inside of the transaction that comes next.
Status StorePart(Sqlite& database, int64_t table_id, const model::TransactionPart& part);

// A position in `column`; a part in that and the next.
Result<std::optional<model::Position>> ReadPosition(const SqlRow& row, int column);
Result<std::optional<model::TransactionPart>> ReadPart(const SqlRow& row, int column);

}  // namespace penstock::catalog
