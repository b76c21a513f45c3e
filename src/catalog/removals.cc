#include "catalog/removals.h"

#include "catalog/history.h"

namespace penstock::catalog {
namespace {

// The column drop_target; another number is 0.
constexpr int64_t kDropped = 1;
constexpr int64_t kDroppedIfEmpty = 2;

// A deleted pipe's name begins with it, which no pipe's may hold: it is in nobody's way.
constexpr std::string_view kNoName = "\x7f";

}  // namespace

Status StoreRemovals(Sqlite& database, const std::string& pipe_id,
                     const std::vector<RemovalRecord>& removals) {
  for (const RemovalRecord& removal : removals) {
    const int64_t drop = removal.only_if_empty ? kDroppedIfEmpty : kDropped;
    PENSTOCK_TRY(database.Run("INSERT OR REPLACE INTO removals VALUES (?, ?, ?, ?, ?, ?)",
                              {pipe_id, removal.url, removal.target, removal.rows_of.schema,
                               removal.rows_of.table, removal.drop_target ? drop : 0}));
  }
  return {};
}

Status StoreDeletion(Sqlite& database, const std::string& pipe_id,
                     const std::vector<RemovalRecord>& removals) {
  PENSTOCK_ASSIGN(const int64_t changed,
                  database.Run("UPDATE pipes SET deleted = 1, name = ? || id WHERE id = ?",
                               {kNoName, pipe_id}));
  if (changed == 0) return NoSuchPipe(pipe_id);
  return StoreRemovals(database, pipe_id, removals);
}

RemovalRecord ReadRemoval(const SqlRow& row) {
  const int64_t drop = row.Int(2);
  return {.url = row.Text(0),
          .target = row.Text(1),
          .drop_target = drop == kDropped || drop == kDroppedIfEmpty,
          .only_if_empty = drop == kDroppedIfEmpty,
          .rows_of = {row.Text(3), row.Text(4)}};
}

}  // namespace penstock::catalog
