#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "catalog/catalog.h"
#include "catalog/sqlite.h"

namespace penstock::catalog {

// What a pipe leaves behind as it works. Each insert also removes the few oldest records that are
// beyond the limits (7 days or 10,000 batches, 90 days or 100,000 events, 10,000 transitions), so
// that keeping them costs no long write, ever. To be called inside a write; `wall` is the time now.
inline constexpr UnixMicros kBatchAge = std::chrono::hours(7 * 24);
inline constexpr UnixMicros kEventAge = std::chrono::hours(90 * 24);

Status InsertEvent(Sqlite& database, const std::string& pipe_id, const EventRecord& event,
                   UnixMicros wall);

// And the event that tells of it, of kind "state".
Status InsertTransition(Sqlite& database, const std::string& pipe_id, const Transition& transition,
                        UnixMicros wall);

// Number 0 becomes the next one; a number that is taken is kConflict.
Status InsertBatch(Sqlite& database, const std::string& pipe_id, const BatchRecord& batch,
                   UnixMicros wall);

// Those of a pipe since a time, newest first, no more than a number.
inline constexpr char kBatchesQuery[] =
    "SELECT number, row_count, bytes, table_count, started_at, at, reading, decoding, changes, "
    "position FROM batches WHERE pipe_id = ? AND at >= ? ORDER BY number DESC LIMIT ?";
Result<BatchRecord> ReadBatch(const SqlRow& row);

// Adds to the table's sums; the first change of a kind in a column makes an event.
Status AddValueChanges(Sqlite& database, const std::vector<ValueChangeRecord>& changes,
                       UnixMicros wall);

Status SetQuarantine(Sqlite& database, const QuarantineRecord& record);
// Likewise, with the event that tells of it.
Status StoreQuarantine(Sqlite& database, const QuarantineRecord& record, UnixMicros wall);

Failure NoSuchPipe(const std::string& id);

}  // namespace penstock::catalog
