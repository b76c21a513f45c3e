#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace penstock::binlog {

// Joins the fragments of a rows event (MariaDB from 12.3 on: PARTIAL_ROW_DATA_EVENT), which stand
// in the log one after the other. Holds no more than came, nor more than the first fragment says.
// One thread at a time.
// https://mariadb.com/docs/server/reference/clientserver-protocol/replication-protocol/partial_row_data_event
class RowsFragments {
 public:
  // Takes what stands between the header of a fragment and its checksum. Answers the whole rows
  // event, from its header on, with the last one; it lives until the next call of any function.
  // kBadData for what is out of order or of another size than it says; begins anew then.
  Result<std::optional<std::string_view>> Add(std::string_view fragment);

  // Forgets a whole event, with its memory; of one that is not whole, nothing.
  void Release();
  // Forgets whatever there is.
  void Reset();

 private:
  Failure Bad(std::string_view why);

  std::string joined_;
  uint64_t size_ = 0;      // of the whole event
  uint32_t sequence_ = 0;  // of the last fragment, from 1; 0: none
  uint32_t total_ = 0;
};

}  // namespace penstock::binlog
