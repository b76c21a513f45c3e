#include "mysql/wire/lost_labels.h"

#include <string>
#include <utility>

namespace penstock::mysql {
namespace {

using model::Column;
using model::SqlType;
using model::Table;

constexpr uint32_t kFirstWithTypeOf = 100'300;  // anchored types came with MariaDB 10.3

// A variable of the column's type takes a label by its number: ENUM counts from 1, SET by bits.
Result<std::string> AskForLabel(Connection& connection, const Table& table, const Column& column,
                                size_t index, const std::stop_token& stop) {
  const uint64_t number = column.type == SqlType::kSet ? uint64_t{1} << index : index + 1;
  PENSTOCK_TRY(connection.Execute(
      fmt::format("BEGIN NOT ATOMIC DECLARE label TYPE OF {}.{}.{}; SET label = {}; "
                  "SET @penstock_label = CONVERT(label USING utf8mb4); END",
                  QuoteIdentifier(table.name.schema), QuoteIdentifier(table.name.table),
                  QuoteIdentifier(column.name), number),
      stop));
  PENSTOCK_ASSIGN(auto rows, connection.Query("SELECT @penstock_label", stop));
  if (rows.empty() || rows[0].empty() || !rows[0][0]) {
    return Fail(ErrorCode::kInternal, "the server tells no label {} of column {}", index + 1,
                column.name);
  }
  return *std::move(rows[0][0]);
}

}  // namespace

Status RestoreLostLabels(Connection& connection, Table& table, const std::stop_token& stop) {
  const ServerInfo& server = connection.server();
  if (server.flavour != Flavour::kMariadb || server.number < kFirstWithTypeOf) return {};
  for (Column& column : table.columns) {
    for (size_t i = 0; i < column.labels.size(); ++i) {
      if (column.labels[i].find('?') == std::string::npos) continue;
      PENSTOCK_ASSIGN(column.labels[i], AskForLabel(connection, table, column, i, stop));
    }
  }
  return {};
}

}  // namespace penstock::mysql
