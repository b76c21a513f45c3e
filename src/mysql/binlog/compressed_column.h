#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace penstock::binlog {

// Appends the value of a COMPRESSED column of MariaDB as it was before the server deflated it.
// `stored` is what the row holds, `bytes_max` the most that the column may hold. False when the
// bytes are of another form or say a length that they cannot have; `out` then holds anything.
// Allocates no more than `bytes_max`, and no more than a thousand times the bytes given.
// https://mariadb.com/kb/en/storage-engine-independent-column-compression/
bool AppendInflated(std::string_view stored, size_t bytes_max, std::string& out);

}  // namespace penstock::binlog
