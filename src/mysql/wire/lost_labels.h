#pragma once

#include <stop_token>

#include "base/status.h"
#include "model/table.h"
#include "mysql/wire/connection.h"

namespace penstock::mysql {

// Servers tell the labels of ENUM and SET in utf8mb3, everywhere: a character beyond it is '?'.
// Asks MariaDB for each label of `table` that holds a '?', by a variable of the column's type, and
// puts the true ones in their place. MySQL cannot be asked: see LabelsMayBeLost.
Status RestoreLostLabels(Connection& connection, model::Table& table, const std::stop_token& stop);

// Whether a '?' in a label of the column may stand for another character, and this server has no
// way to tell.
bool LabelsMayBeLost(const ServerInfo& server, const model::Column& column);

}  // namespace penstock::mysql
