#pragma once

#include <stop_token>

#include "base/status.h"
#include "model/table.h"
#include "mysql/wire/connection.h"

namespace penstock::mysql {

// MariaDB tells the labels of ENUM and SET in utf8mb3, everywhere: a character beyond it is '?'.
// Asks the server for each label of `table` that holds a '?', by a variable of the column's type,
// and puts the true ones in their place. Nothing to do on MySQL.
Status RestoreLostLabels(Connection& connection, model::Table& table, const std::stop_token& stop);

}  // namespace penstock::mysql
