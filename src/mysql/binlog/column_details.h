#pragma once

#include <string_view>
#include <vector>

#include "mysql/binlog/event.h"

namespace penstock::binlog {

// What a table map tells of a column beside its name, type and sign, where the server writes it
// (binlog_row_metadata FULL; some also MINIMAL).
struct ColumnDetails {
  std::string_view charset = {};              // of text and binary columns; "": not told
  std::vector<std::string_view> labels = {};  // of ENUM and SET, in the column's character set
};

// One a column. What cannot be read is not told. Views of the map's packet.
std::vector<ColumnDetails> ReadColumnDetails(const TableMap& map);

}  // namespace penstock::binlog
