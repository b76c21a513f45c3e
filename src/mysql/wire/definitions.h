#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/table.h"
#include "mysql/wire/connection.h"

namespace penstock::mysql {

// Whether the server compares names of schemas and tables without their case.
Result<bool> NamesIgnoreCase(Connection& connection, std::stop_token stop);

// Whether the server's log names columns, from now on (binlog_row_metadata).
Result<bool> LogsColumnNames(Connection& connection, std::stop_token stop);

// Reads the definitions of all `names` in a few queries of information_schema, however many they
// are (and one more for each ENUM or SET whose labels it does not tell for sure). A name that does
// not exist is missing in the answer. Names compare as the server compares them; the answer is
// keyed by the names asked for.
Result<std::map<model::TableName, model::Table>> ReadDefinitions(
    Connection& connection, const std::vector<model::TableName>& names, std::stop_token stop);

// The name of an index whose first columns are these, whole and in this order; "" where there is
// none that statements may name.
Result<std::string> FindIndex(Connection& connection, const model::TableName& table,
                              const std::vector<std::string>& columns, std::stop_token stop);

}  // namespace penstock::mysql
