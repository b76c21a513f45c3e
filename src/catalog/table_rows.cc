#include "catalog/table_rows.h"

#include <string>
#include <utility>

#include "catalog/history.h"
#include "catalog/inserts.h"
#include "catalog/records.h"

namespace penstock::catalog {
namespace {

Result<std::optional<Quarantine>> ReadQuarantine(const SqlRow& row, int column) {
  if (row.IsNull(column)) return std::nullopt;
  PENSTOCK_ASSIGN(model::Position position, model::Position::Parse(row.Text(column + 1)));
  return Quarantine{
      .position = std::move(position), .reason = row.Text(column + 2), .since = row.Time(column)};
}

}  // namespace

Result<TableRecord> ReadTable(const SqlRow& row) {
  PENSTOCK_ASSIGN(model::Table definition, DecodeTable(row.Text(1)));
  PENSTOCK_ASSIGN(auto quarantine, ReadQuarantine(row, 10));
  PENSTOCK_ASSIGN(auto start, ReadPosition(row, 15));
  PENSTOCK_ASSIGN(auto start_part, ReadPart(row, 16));
  if (quarantine) {
    quarantine->retrying = row.Int(18) != 0;
    quarantine->gone = row.Int(19) != 0;
  }
  return TableRecord{.id = row.Int(0),
                     .definition = std::move(definition),
                     .target = row.Text(2),
                     .ddl = row.Text(3),
                     .load_version_base = row.Unsigned(4),
                     .partitions_planned = row.Int(5) != 0,
                     .rows_estimated = row.Unsigned(6),
                     .load_target = row.Text(7),
                     .loaded_uuid = row.Text(8),
                     .bytes_estimated = row.Unsigned(9),
                     .quarantine = std::move(quarantine),
                     .reload_wanted = row.Int(13) != 0,
                     .remapped = row.Int(20) != 0,
                     .keeps_target_fresh = row.Int(14) != 0,
                     .start = std::move(start),
                     .start_part = std::move(start_part)};
}

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

Status SetRemapped(Sqlite& database, const QuarantineRecord& record) {
  PENSTOCK_TRY(SetQuarantine(database, record));
  return database.Run("UPDATE tables SET remapped = 1 WHERE id = ?", {record.table_id})
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
          "partitions_planned = ?, reload_wanted = ?, retry_wanted = 0, "
          "remapped = iif(remapped = 0, 0, 2) WHERE id = ?",
          {definition, table.ddl, table.load_target, table.keeps_target_fresh,
           table.partitions_planned, table.reload_wanted, table.id})
      .map([](auto) {});
}

// Of a load that is given up what was done is gone. The target is from before; also one that was
// written alike may not have been whole. But where the table is followed, and the load that failed
// was of another that shares its target: such a table is written alike only if it was whole.
Status StoreReloadEnd(Sqlite& database, int64_t table_id) {
  PENSTOCK_ASSIGN(
      const auto given_up,
      database.QueryInt("SELECT load_target != '' AND loaded_uuid = '' FROM tables WHERE id = ?",
                        {table_id}));
  if (given_up.value_or(0) != 0) {
    PENSTOCK_TRY(ForgetLoad(database, table_id));
    PENSTOCK_TRY(database.Run(
        "UPDATE tables SET partitions_planned = 1 WHERE id = ? AND quarantined_at IS NULL AND "
        "keeps_target_fresh = 1",
        {table_id}));
  }
  return database
      .Run(
          "UPDATE tables SET load_target = '', loaded_uuid = '', keeps_target_fresh = 0, "
          "remapped = iif(remapped = 2 AND loaded_uuid != '', 0, remapped), "
          "reload_wanted = (quarantined_at IS NOT NULL AND reload_wanted) WHERE id = ?",
          {table_id})
      .map([](auto) {});
}

Status EndFreshness(Sqlite& database, int64_t table_id) {
  return database.Run("UPDATE tables SET keeps_target_fresh = 0 WHERE id = ?", {table_id})
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

Status SetRetryWanted(Sqlite& database, int64_t table_id) {
  return database
      .Run(
          "UPDATE tables SET retry_wanted = 1 WHERE id = ? AND quarantined_at IS NOT NULL AND "
          "load_target = '' AND reload_wanted = 0",
          {table_id})
      .map([](auto) {});
}

Status StoreRetry(Sqlite& database, const RetryRecord& record) {
  return database
      .Run("UPDATE tables SET quarantine_position = ? WHERE id = ? AND retry_wanted = 1",
           {record.position.Serialize(), record.table_id})
      .map([](auto) {});
}

Status StartAfterInsert(Sqlite& database, int64_t table_id) {
  return database
      .Run(
          "UPDATE tables SET (start_position, start_read_to, start_rows) = (SELECT "
          "start_position, start_read_to, start_rows FROM inserts WHERE table_id = ?1) "
          "WHERE id = ?1 AND EXISTS (SELECT 1 FROM inserts WHERE table_id = ?1)",
          {table_id})
      .map([](auto) {});
}

Status StoreFollowed(Sqlite& database, const FollowedRecord& record) {
  PENSTOCK_TRY(StoreStartOnly(database, record.table_id, record.start, record.start_part));
  return database
      .Run(
          "UPDATE tables SET quarantined_at = NULL, quarantine_position = NULL, "
          "quarantine_reason = NULL, retry_wanted = 0 WHERE id = ?",
          {record.table_id})
      .map([](auto) {});
}

}  // namespace penstock::catalog
