#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "catalog/catalog.h"
#include "catalog/sqlite.h"

namespace penstock::catalog {

// The rows of the table "tables", within a transaction of the caller's.

inline constexpr char kSelectTables[] =
    "SELECT id, definition, target, ddl, load_version_base, partitions_planned, rows_estimated, "
    "load_target, loaded_uuid, bytes_estimated, quarantined_at, quarantine_position, "
    "quarantine_reason, reload_wanted, keeps_target_fresh, start_position, start_read_to, "
    "start_rows, retry_wanted, gone, remapped FROM tables WHERE pipe_id = ? ORDER BY id";
Result<TableRecord> ReadTable(const SqlRow& row);  // of kSelectTables

// Answers the table's id.
Result<int64_t> InsertTable(Sqlite& database, const std::string& pipe_id, const TableRecord& table);

// Its partitions and what they changed of values count no more.
Status ForgetLoad(Sqlite& database, int64_t table_id);

// The load of a table is over, whatever of it was done.
Status EndTruncated(Sqlite& database, int64_t table_id);

// One that is quarantined is to be loaded anew.
Status WantHealed(Sqlite& database, int64_t table_id);

// Set aside until it is loaded by its new mapping.
Status SetRemapped(Sqlite& database, const QuarantineRecord& record);

// What a new load of it begins with.
Status StoreReload(Sqlite& database, const TableRecord& table);

// Its load_target is in place, or given up.
Status StoreReloadEnd(Sqlite& database, int64_t table_id);

// Its target is not written alike any more, while its load goes on.
Status EndFreshness(Sqlite& database, int64_t table_id);

// A definition that was followed.
Status StoreDefinition(Sqlite& database, const DefinitionRecord& record);

// The steps of a retry: see Catalog.
Status SetRetryWanted(Sqlite& database, int64_t table_id);
Status StoreRetry(Sqlite& database, const RetryRecord& record);
Status StartAfterInsert(Sqlite& database, int64_t table_id);
Status StoreFollowed(Sqlite& database, const FollowedRecord& record);

}  // namespace penstock::catalog
