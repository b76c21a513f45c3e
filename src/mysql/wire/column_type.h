#pragma once

#include <string_view>

#include "model/table.h"

namespace penstock::mysql {

// Reads information_schema's COLUMN_TYPE ("decimal(10,2) unsigned", "enum('a','it''s')") into the
// type's fields of `column`: type, type_text, is_unsigned, precision, scale, length, labels. What
// it does not know wholly becomes kUnsupported (among it, temporal types with a fraction in the
// format of MariaDB 5.3).
void ParseColumnType(std::string_view text, model::Column& column);

}  // namespace penstock::mysql
