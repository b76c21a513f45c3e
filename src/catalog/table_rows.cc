#include "catalog/table_rows.h"

#include <string>

#include "catalog/history.h"
#include "catalog/inserts.h"
#include "catalog/records.h"

namespace penstock::catalog {

Result<int64_t> InsertTable(Sqlite& database, const std::string& pipe_id,
                            const TableRecord& table) {
  PENSTOCK_ASSIGN(const std::string definition, EncodeTable(table.definition));
  PENSTOCK_TRY(database.Run(
      "INSERT INTO tables (pipe_id, definition, target, ddl, load_version_base, "
      "partitions_planned, rows_estimated, reload_wanted) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      {pipe_id, definition, table.target, table.ddl, ToStored(table.load_version_base),
       table.partitions_planned, ToStored(table.rows_estimated), table.reload_wanted}));
  const int64_t id = database.last_row_id();
  if (table.quarantine) PENSTOCK_TRY(SetQuarantine(database, {id, *table.quarantine}));
  return id;
}

// What a load that begins anew no longer counts.
Status ForgetLoad(Sqlite& database, int64_t table_id) {
  PENSTOCK_TRY(database.Run("DELETE FROM partitions WHERE table_id = ?", {table_id}));
  PENSTOCK_TRY(database.Run("DELETE FROM value_changes WHERE table_id = ?", {table_id}));
  return database.Run("UPDATE tables SET partitions_planned = 0 WHERE id = ?", {table_id})
      .map([](auto) {});
}

Status EndTruncated(Sqlite& database, int64_t table_id) {
  PENSTOCK_TRY(database.Run("DELETE FROM partitions WHERE table_id = ?", {table_id}));
  return database.Run("UPDATE tables SET partitions_planned = 1 WHERE id = ?", {table_id})
      .map([](auto) {});
}

Status WantHealed(Sqlite& database, int64_t table_id) {
  return database
      .Run("UPDATE tables SET reload_wanted = 1 WHERE id = ? AND quarantined_at IS NOT NULL",
           {table_id})
      .map([](auto) {});
}

Status StoreReload(Sqlite& database, const TableRecord& table) {
  PENSTOCK_ASSIGN(const std::string definition, EncodeTable(table.definition));
  PENSTOCK_TRY(StoreStart(database, table.id, table.start, table.start_part));
  return database
      .Run(
          "UPDATE tables SET definition = ?, ddl = ?, load_target = ?, loaded_uuid = '', "
          "keeps_target_fresh = ?, rows_estimated = 0, bytes_estimated = 0, "
          "quarantined_at = NULL, quarantine_position = NULL, quarantine_reason = NULL, "
          "partitions_planned = ?, reload_wanted = ? WHERE id = ?",
          {definition, table.ddl, table.load_target, table.keeps_target_fresh,
           table.partitions_planned, table.reload_wanted, table.id})
      .map([](auto) {});
}

Status StoreDefinition(Sqlite& database, const DefinitionRecord& record) {
  PENSTOCK_ASSIGN(const std::string definition, EncodeTable(record.definition));
  return database
      .Run("UPDATE tables SET definition = ?, ddl = ddl || ?, start_position = ? WHERE id = ?",
           {definition, record.ddl.empty() ? "" : ";\n" + record.ddl, record.start.Serialize(),
            record.table_id})
      .map([](auto) {});
}

}  // namespace penstock::catalog
