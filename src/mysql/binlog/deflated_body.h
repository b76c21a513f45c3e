#pragma once

#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "mysql/binlog/inflater.h"

namespace penstock::binlog {

// Inflates what MariaDB deflates of an event (log_bin_compress): the statement of a query event,
// the images of a rows event. One thread at a time.
// https://mariadb.com/docs/server/reference/clientserver-protocol/replication-protocol/query_compressed_event
class BodyInflater {
 public:
  // What `stored` stands for, until the next call; the memory of it is kept, unless it is large.
  // Leaves the reader failed when the bytes are of another form or say a length that they cannot
  // have. Allocates no more than a thousand times the bytes given, nor more than 1 GiB.
  std::string_view Inflate(std::string_view stored, ByteReader& reader);

 private:
  Inflater inflater_;
  std::string body_;
};

}  // namespace penstock::binlog
