#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/table.h"
#include "mysql/wire/connection.h"

namespace penstock::mysql {

struct TableList {
  struct Entry {
    model::TableName name;
    bool is_table = false;  // else a view, a sequence
  };
  std::vector<Entry> entries;  // by name
  bool names_ignore_case = false;
};

// What the user may see of these schemas; without any, of all but the server's own.
Result<TableList> ListTables(Connection& connection, const std::vector<std::string>& schemas,
                             std::stop_token stop);

}  // namespace penstock::mysql
