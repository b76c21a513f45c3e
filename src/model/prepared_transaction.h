#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/table.h"

namespace penstock::model {

// An XA transaction that is prepared at some position of the log: whether its changes count is told
// further on.
struct PreparedTransaction {
  std::string xid;                // ddl::Statement::xid
  std::string file;               // name of the file that keeps its changes; "": it has none
  uint64_t bytes = 0;             // of the file
  std::vector<TableName> tables;  // that it changed, of those that are followed

  bool operator==(const PreparedTransaction&) const = default;
};

}  // namespace penstock::model
