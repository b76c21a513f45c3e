#pragma once

#include <cstdint>
#include <string_view>

namespace penstock::binlog {

// The character set of a collation that the log names by number: "latin1"; "" for numbers that are
// not known here.
std::string_view CharsetOfCollation(uint64_t collation);

}  // namespace penstock::binlog
