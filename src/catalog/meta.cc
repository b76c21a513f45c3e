#include "catalog/meta.h"

#include "base/random.h"

namespace penstock::catalog {

Result<std::optional<std::string>> ReadMeta(Sqlite& database, std::string_view key) {
  std::optional<std::string> value;
  PENSTOCK_TRY(
      database.Query("SELECT value FROM meta WHERE key = ?", {key}, [&](const SqlRow& row) {
        value = row.Text(0);
        return Status();
      }));
  return value;
}

Status WriteMeta(Sqlite& database, std::string_view key, std::string_view value) {
  PENSTOCK_TRY(
      database.Run("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", {key, Blob{value}}));
  return {};
}

Result<std::string> MetaOrRandomUuid(Sqlite& database, std::string_view key) {
  PENSTOCK_ASSIGN(std::optional<std::string> found, ReadMeta(database, key));
  if (found) return *std::move(found);
  std::string made = RandomUuid();
  PENSTOCK_TRY(WriteMeta(database, key, made));
  return made;
}

}  // namespace penstock::catalog
