#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/status.h"

namespace penstock::cli {

// Tables of a source as users write them: SCHEMA.TABLE. A name is in backticks, as in MySQL, where
// it would be cut elsewhere: `x.y`.`t:2`; a backtick in it is doubled. Without them the schema goes
// up to the first dot, and the table up to a colon.

// "SCHEMA.TABLE" or "SCHEMA.TABLE:TARGET" as the API's sourceSchemaName, sourceTable and, where
// there is one, targetTable. kInvalidArgument for anything else.
Result<nlohmann::json> ParseTable(std::string_view text);

// Which of `tables`, of the API, is meant. Its full name may stand for it as it is, unless several
// have that one. kNotFound where none is; kInvalidArgument where the text is no name.
Result<nlohmann::json> FindTable(std::string_view text, const nlohmann::json& tables);

}  // namespace penstock::cli
