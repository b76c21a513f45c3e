#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "catalog/sqlite.h"

namespace penstock::catalog {

// Values of the whole catalog by name. What writes is to be called inside a write.

Result<std::optional<std::string>> ReadMeta(Sqlite& database, std::string_view key);
Status WriteMeta(Sqlite& database, std::string_view key, std::string_view value);
// Made at the first call and kept.
Result<std::string> MetaOrRandomUuid(Sqlite& database, std::string_view key);

}  // namespace penstock::catalog
