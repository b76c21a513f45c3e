#include "mysql/wire/lost_labels.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace penstock::mysql {
namespace {

using model::Column;
using model::SqlType;
using model::Table;

// Character sets with characters that utf8mb3 lacks.
constexpr std::array<std::string_view, 5> kBeyondUtf8mb3 = {"utf8mb4", "utf16", "utf16le", "utf32",
                                                            "gb18030"};
constexpr uint32_t kFirstWithTypeOf = 100'300;  // anchored types came with MariaDB 10.3

bool CanBeAsked(const ServerInfo& server) {
  return server.flavour == Flavour::kMariadb && server.number >= kFirstWithTypeOf;
}

bool MayBeLost(const Column& column, const std::string& label) {
  return label.find('?') != std::string::npos &&
         std::ranges::find(kBeyondUtf8mb3, column.charset) != kBeyondUtf8mb3.end();
}

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
  if (!CanBeAsked(connection.server())) return {};
  for (Column& column : table.columns) {
    for (size_t i = 0; i < column.labels.size(); ++i) {
      if (!MayBeLost(column, column.labels[i])) continue;
      PENSTOCK_ASSIGN(column.labels[i], AskForLabel(connection, table, column, i, stop));
    }
  }
  return {};
}

bool LabelsMayBeLost(const ServerInfo& server, const Column& column) {
  return !CanBeAsked(server) && std::ranges::any_of(column.labels, [&](const std::string& label) {
    return MayBeLost(column, label);
  });
}

}  // namespace penstock::mysql
