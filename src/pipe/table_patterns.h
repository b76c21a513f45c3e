#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/table.h"
#include "mysql/wire/table_list.h"
#include "pipe/spec.h"

namespace penstock::pipe {

// A mapping may stand for many tables: `*` in its schema or table is any characters, `?` is one,
// and a backslash before one of these takes its meaning away. In its target {schema} and {table}
// stand for the names of each.

bool IsPattern(const model::TableName& name);

// Whether all of `name` is as `pattern`. Without their case only ASCII letters are alike.
bool Matches(std::string_view pattern, std::string_view name, bool ignore_case);

// The first of the patterns that the table fits, and that does not exclude it; nullopt: none. Of
// tables with a mapping of their own too.
std::optional<size_t> PatternOf(const PipeSpec& spec, const model::TableName& table,
                                bool ignore_case);

// The tables that the pattern would give the target of this one: whether there may be any, and
// which, where it can only be one.
struct Makers {
  bool any = true;
  std::optional<model::TableName> only = std::nullopt;
};
Makers MakersOf(const TableMapping& pattern, const TableMapping& table);

bool HasPatterns(const PipeSpec& spec);

// What the source has where the patterns look.
Result<mysql::TableList> ListForPatterns(mysql::Connection& source, const PipeSpec& spec,
                                         std::stop_token stop);

// What the source's tables make of the patterns: mappings, as the next of PipeSpec::tables, of
// those that fit one and that `spec` has not. In the order of `listed`.
std::vector<TableMapping> NewTables(const PipeSpec& spec, const mysql::TableList& listed);

// Takes a table out of every pattern that it fits.
void Exclude(const model::TableName& table, PipeSpec& spec);

// As the catalog keeps a spec: ToJsonWithSecrets, and what its patterns stand for.
nlohmann::json ToStored(const PipeSpec& spec);
Result<PipeSpec> FromStored(const nlohmann::json& body, const Limits& limits);

}  // namespace penstock::pipe
