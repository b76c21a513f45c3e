#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "base/status.h"
#include "model/table.h"
#include "model/value.h"
#include "mysql/wire/connection.h"

namespace penstock::mysql {

// "/* penstock PIPE */ ", safe as a comment whatever the name: names penstock in the source's
// process list and slow log.
std::string QueryComment(const std::string& pipe_name);

// "`schema`.`table` FORCE INDEX (`index`)"; another `use` than FORCE is USE. "": no index is named.
std::string FromClause(const model::TableName& table, const std::string& index,
                       std::string_view use = "FORCE");

// A value as an SQL literal that compares with its column as the column's index is ordered: in the
// column's own character set and collation, an ENUM by its label.
std::string KeyLiteral(const model::Column& column, const model::Value& value);

// A condition that only the row with this key fulfils, and that the key's index answers (but for a
// SET, which compares by number): "`id` = 1 AND `name` = _latin1 X'41' COLLATE latin1_bin". `row`
// has a value per column of the table; a key column that is absent (an insert leaves it out) has
// its default.
std::string KeyCondition(const model::Table& table, model::Row row);

// Within a transaction: pins the definition of `table` until ROLLBACK, whole or to a savepoint
// before. kNeedsUser when it is no longer the one given: rows would be read by the wrong one.
Status PinDefinition(Connection& connection, const model::Table& table, const std::string& comment,
                     std::stop_token stop);

// Opens a transaction that reads `table`, and pins its definition. Columns may have been added
// since the one given: rows can be read by that still, and a reader of the log comes to the rest.
Status BeginRead(Connection& connection, const model::Table& table, const std::string& comment,
                 std::stop_token stop);

}  // namespace penstock::mysql
