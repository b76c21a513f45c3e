#include "catalog/history.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "catalog/inserts.h"
#include "catalog/records.h"

namespace penstock::catalog {
namespace {

constexpr int64_t kBatchesMax = 10'000;
constexpr int64_t kEventsMax = 100'000;
constexpr int64_t kTransitionsMax = 10'000;

// Removing the oldest few with each new one keeps the limit without ever a long write.
Status PruneBatches(Sqlite& database, const std::string& pipe_id, uint64_t newest,
                    UnixMicros wall) {
  PENSTOCK_TRY(database.Run(
      "DELETE FROM batches WHERE pipe_id = ?1 AND (number <= ?2 OR at < ?3) AND number IN "
      "(SELECT number FROM batches WHERE pipe_id = ?1 ORDER BY number LIMIT 8)",
      {pipe_id, ToStored(newest) - kBatchesMax, ToStored(wall - kBatchAge)}));
  return {};
}

EventRecord TransitionEvent(const Transition& transition) {
  std::string text = transition.from.empty()
                         ? transition.to
                         : fmt::format("{} to {}", transition.from, transition.to);
  if (!transition.reason.empty()) text += ": " + transition.reason;
  const char* level = transition.to == "Failed"     ? "error"
                      : transition.to == "Degraded" ? "warning"
                                                    : "info";
  return {.at = transition.at, .level = level, .kind = "state", .text = std::move(text)};
}

std::string_view RuleText(model::Change change) {
  switch (change) {
    case model::Change::kClamped:
      return "the nearest value that it can hold was written";
    case model::Change::kNulled:
      return "NULL was written";
    case model::Change::kReplaced:
    case model::Change::kCount:
      break;
  }
  return "a replacement was written";
}

struct KnownTable {
  std::string pipe_id;
  std::string name;  // of the source
};

Result<KnownTable> FindTable(Sqlite& database, int64_t table_id) {
  std::optional<KnownTable> found;
  PENSTOCK_TRY(database.Query("SELECT pipe_id, definition FROM tables WHERE id = ?", {table_id},
                              [&](const SqlRow& row) -> Status {
                                PENSTOCK_ASSIGN(const auto table, DecodeTable(row.Text(1)));
                                found = {.pipe_id = row.Text(0), .name = table.name.ToString()};
                                return {};
                              }));
  if (!found) return Fail(ErrorCode::kNotFound, "no table with id {}", table_id);
  return *std::move(found);
}

Status InsertChangeEvent(Sqlite& database, const ValueChangeRecord& record, model::Change change,
                         UnixMicros wall) {
  PENSTOCK_ASSIGN(const KnownTable table, FindTable(database, record.table_id));
  return InsertEvent(
      database, table.pipe_id,
      {.at = wall,
       .level = "warning",
       .kind = "value_changed",
       .text = fmt::format("{}.{} holds a value that its column in ClickHouse cannot hold; {}. "
                           "More of the kind are only counted",
                           table.name, record.column, RuleText(change))},
      wall);
}

}  // namespace

Status InsertEvent(Sqlite& database, const std::string& pipe_id, const EventRecord& event,
                   UnixMicros wall) {
  PENSTOCK_TRY(database.Run(
      "INSERT INTO events (pipe_id, number, at, level, kind, text) VALUES (?1, "
      "(SELECT coalesce(max(number), 0) + 1 FROM events WHERE pipe_id = ?1), ?2, ?3, ?4, ?5)",
      {pipe_id, ToStored(event.at), event.level, event.kind, event.text}));
  PENSTOCK_TRY(database.Run(
      "DELETE FROM events WHERE pipe_id = ?1 AND number IN "
      "(SELECT number FROM events WHERE pipe_id = ?1 ORDER BY number LIMIT 8) AND (at < ?2 OR "
      "number <= (SELECT max(number) FROM events WHERE pipe_id = ?1) - ?3)",
      {pipe_id, ToStored(wall - kEventAge), kEventsMax}));
  return {};
}

Status InsertTransition(Sqlite& database, const std::string& pipe_id, const Transition& transition,
                        UnixMicros wall) {
  PENSTOCK_TRY(database.Run(
      "INSERT INTO transitions (pipe_id, number, from_state, to_state, resume_state, reason, at) "
      "VALUES (?1, (SELECT coalesce(max(number), 0) + 1 FROM transitions WHERE pipe_id = ?1), "
      "?2, ?3, ?4, ?5, ?6)",
      {pipe_id, transition.from, transition.to, transition.resume_state, transition.reason,
       ToStored(transition.at)}));
  PENSTOCK_TRY(
      database.Run("DELETE FROM transitions WHERE pipe_id = ?1 AND number <= "
                   "(SELECT max(number) FROM transitions WHERE pipe_id = ?1) - ?2",
                   {pipe_id, kTransitionsMax}));
  return InsertEvent(database, pipe_id, TransitionEvent(transition), wall);
}

Status InsertBatch(Sqlite& database, const std::string& pipe_id, const BatchRecord& batch,
                   UnixMicros wall) {
  // Also after those that are too old to be told of.
  PENSTOCK_ASSIGN(
      const std::optional<int64_t> last,
      database.QueryInt("SELECT max(number) FROM batches WHERE pipe_id = ?", {pipe_id}));
  const uint64_t number = std::max(batch.number, static_cast<uint64_t>(last.value_or(0)) + 1);
  PENSTOCK_TRY(database.Run(
      "INSERT INTO batches (pipe_id, number, row_count, bytes, table_count, started_at, at, "
      "reading, decoding, changes, position) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {pipe_id, ToStored(number), ToStored(batch.rows), ToStored(batch.bytes), batch.tables,
       ToStored(batch.started_at), ToStored(batch.finished_at), ToStored(batch.reading),
       ToStored(batch.decoding), EncodeChanges(batch.changes), batch.read.Serialize()}));
  return PruneBatches(database, pipe_id, number, wall);
}

Result<BatchRecord> ReadBatch(const SqlRow& row) {
  BatchRecord batch{.number = row.Unsigned(0),
                    .rows = row.Unsigned(1),
                    .bytes = row.Unsigned(2),
                    .tables = static_cast<uint32_t>(row.Int(3)),
                    .started_at = row.Time(4),
                    .finished_at = row.Time(5),
                    .reading = row.Time(6),
                    .decoding = row.Time(7)};
  PENSTOCK_ASSIGN(batch.changes, DecodeChanges(row.Text(8)));
  PENSTOCK_ASSIGN(batch.read, model::Position::Parse(row.Text(9)));
  return batch;
}

Status AddValueChanges(Sqlite& database, const std::vector<ValueChangeRecord>& changes,
                       UnixMicros wall) {
  for (const ValueChangeRecord& record : changes) {
    PENSTOCK_TRY(
        database.Run("INSERT OR IGNORE INTO value_changes (table_id, column_name) VALUES (?, ?)",
                     {record.table_id, record.column}));
    for (const auto change :
         {model::Change::kClamped, model::Change::kNulled, model::Change::kReplaced}) {
      const uint64_t count = record.counts[change];
      if (count == 0) continue;
      const std::string kind(model::ChangeName(change));
      const std::string update = fmt::format(
          "UPDATE value_changes SET {0} = {0} + ? WHERE table_id = ? AND column_name = ?", kind);
      PENSTOCK_TRY(database.Run(update.c_str(), {ToStored(count), record.table_id, record.column}));
      const std::string query =
          fmt::format("SELECT {} FROM value_changes WHERE table_id = ? AND column_name = ?", kind);
      PENSTOCK_ASSIGN(const auto sum,
                      database.QueryInt(query.c_str(), {record.table_id, record.column}));
      if (sum == ToStored(count)) {
        PENSTOCK_TRY(InsertChangeEvent(database, record, change, wall));
      }
    }
  }
  return {};
}

Status SetQuarantine(Sqlite& database, const QuarantineRecord& record) {
  const Quarantine& quarantine = record.quarantine;
  return database
      .Run(
          "UPDATE tables SET quarantined_at = ?, quarantine_position = ?, quarantine_reason = ?, "
          "reload_wanted = max(reload_wanted, ?), retry_wanted = 0, gone = ? WHERE id = ?",
          {ToStored(quarantine.since), quarantine.position.Serialize(), quarantine.reason,
           record.reload_wanted, quarantine.gone, record.table_id})
      .map([](auto) {});
}

Status StoreQuarantine(Sqlite& database, const QuarantineRecord& record, UnixMicros wall) {
  const Quarantine& quarantine = record.quarantine;
  PENSTOCK_TRY(SetQuarantine(database, record));
  if (record.part) PENSTOCK_TRY(StorePart(database, record.table_id, *record.part));
  PENSTOCK_ASSIGN(const KnownTable table, FindTable(database, record.table_id));
  return InsertEvent(database, table.pipe_id,
                     {.at = quarantine.since,
                      .level = "error",
                      .kind = "quarantine",
                      .text = fmt::format("{} is not followed from {} on: {}", table.name,
                                          quarantine.position.ToString(), quarantine.reason)},
                     wall);
}

Failure NoSuchPipe(const std::string& id) {
  return Fail(Error{.code = ErrorCode::kNotFound,
                    .message = fmt::format("no pipe with id {}", id),
                    .origin = "catalog"});
}

}  // namespace penstock::catalog
