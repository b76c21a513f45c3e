#include "clickhouse/quote.h"

namespace penstock::clickhouse {
namespace {

std::string Quote(std::string_view text, char quote) {
  std::string quoted(1, quote);
  quoted.reserve(text.size() + 2);
  for (const char c : text) {
    switch (c) {
      case '\0':
        quoted += "\\0";
        break;
      case '\n':
        quoted += "\\n";
        break;
      case '\r':
        quoted += "\\r";
        break;
      default:
        if (c == quote || c == '\\') quoted += '\\';
        quoted += c;
    }
  }
  quoted += quote;
  return quoted;
}

}  // namespace

std::string QuoteIdentifier(std::string_view name) { return Quote(name, '`'); }
std::string QuoteString(std::string_view text) { return Quote(text, '\''); }

std::string QuoteTable(std::string_view database, std::string_view table) {
  return QuoteIdentifier(database) + "." + QuoteIdentifier(table);
}

}  // namespace penstock::clickhouse
