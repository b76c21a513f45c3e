#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "mysql/binlog/inflater.h"

namespace penstock::binlog {

// Reads the values of COMPRESSED columns of MariaDB. One thread at a time.
// https://mariadb.com/kb/en/storage-engine-independent-column-compression/
class ColumnInflater {
 public:
  // Appends a value as it was before the server deflated it. `stored` is what the row holds,
  // `bytes_max` the most that the column may hold. False when the bytes are of another form or say
  // a length that they cannot have; `out` then holds anything. Allocates no more than `bytes_max`,
  // and no more than a thousand times the bytes given.
  bool Append(std::string_view stored, size_t bytes_max, std::string& out);

 private:
  Inflater inflater_;
};

}  // namespace penstock::binlog
