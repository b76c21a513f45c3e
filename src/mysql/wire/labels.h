#pragma once

#include <stop_token>
#include <string_view>

#include "base/status.h"
#include "model/table.h"
#include "mysql/wire/connection.h"

namespace penstock::mysql {

// Whether the labels of an ENUM or SET, as information_schema tells them, may stand for others: it
// speaks utf8mb3, so that each character beyond U+FFFF is a '?' there.
bool LabelsAreUnsure(const model::Column& column);

// `label` as information_schema would tell it. `label` is UTF-8.
std::string LabelInUtf8Mb3(std::string_view label);

// Reads the labels of such a column of `table` as they are, without reading a row. Where the server
// does not tell (MySQL 5.7, long SETs on MariaDB), the column becomes kUnsupported: better refused
// than with labels that are not its own.
Status ReadSureLabels(Connection& connection, const model::TableName& table, model::Column& column,
                      std::stop_token stop);

}  // namespace penstock::mysql
