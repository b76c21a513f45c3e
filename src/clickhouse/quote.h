#pragma once

#include <string>
#include <string_view>

namespace penstock::clickhouse {

// `name` and 'text' as ClickHouse reads them back, with every byte escaped that needs it.
std::string QuoteIdentifier(std::string_view name);
std::string QuoteString(std::string_view text);

// `database`.`table`
std::string QuoteTable(std::string_view database, std::string_view table);

}  // namespace penstock::clickhouse
