#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/status.h"
#include "ddl/statement.h"
#include "model/table.h"

namespace penstock::stream {

// What a statement in the log does to a table that is followed by its row events.
struct Truncates {};
struct AddsColumns {};                                // see PlanAddition
using StatementEffect = std::variant<std::monostate,  // nothing
                                     Truncates, AddsColumns,
                                     Error>;  // kNeedsUser: more than can be followed; why

// Whether a name in a statement is, or may be, this table's.
bool IsNamed(const model::Table& table, const model::TableName& named, bool names_ignore_case);

// `sql` is the statement's text, for the error. `names_ignore_case`: as the source compares names
// of schemas and tables (lower_case_table_names); a statement is logged as it was typed.
StatementEffect EffectOn(const model::Table& table, const ddl::Statement& statement,
                         std::string_view sql, bool names_ignore_case);

// " (the statement)", for messages; "" where it may hold a password.
std::string Shown(std::string_view sql);

}  // namespace penstock::stream
