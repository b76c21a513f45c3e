#pragma once

#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "mysql/binlog/inflater.h"

namespace penstock::binlog {

// Inflates what MariaDB deflates of an event (log_bin_compress): the statement of a query event,
// the images of a rows event. One thread at a time.
// https://mariadb.com/docs/server/reference/clientserver-protocol/replication-protocol/rows_event_v1v2-rows_compressed_event_v1
class BodyInflater {
 public:
  // What `stored` stands for; it lives until the next call of either function. Leaves the reader
  // failed when the bytes are of another form or say a length that they cannot have. Allocates no
  // more than a thousand times the bytes given, nor more than 1 GiB.
  std::string_view Inflate(std::string_view stored, ByteReader& reader);

  // Forgets it; its memory is kept for the next one, unless it is large.
  void Release();

 private:
  Inflater inflater_;
  std::string body_;
};

}  // namespace penstock::binlog
