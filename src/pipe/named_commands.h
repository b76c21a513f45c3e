#pragma once

#include <string>
#include <string_view>

#include "model/table.h"

namespace penstock::pipe {

// The text with the command, to be run as it is, wherever it says to resync "the table": errors are
// made where neither the pipe is known nor, often, the table. `gone`: taking it out of the pipe is
// named beside it.
std::string WithCommands(std::string text, std::string_view pipe, const model::TableName& table,
                         bool gone);

}  // namespace penstock::pipe
