#pragma once

#include <optional>
#include <string>

#include "base/status.h"
#include "catalog/catalog.h"
#include "catalog/sqlite.h"

namespace penstock::catalog {

// Answers that are given again to a repeated request. The hash is sealed here.

Result<std::optional<AnswerRecord>> ReadAnswer(Sqlite& database, const std::string& key,
                                               UnixMicros wall);
// In place of one of the same key; forgets those that are too old or too many. To be called inside
// a write.
Status StoreAnswer(Sqlite& database, const AnswerRecord& answer);

}  // namespace penstock::catalog
