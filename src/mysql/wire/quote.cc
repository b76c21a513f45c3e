#include "mysql/wire/connection.h"

namespace penstock::mysql {

// Open's sql_mode leaves backslash escapes on, and utf8mb4 has no character that contains a quote
// or a backslash as a later byte: escaping these two is enough. NUL is escaped for people.
std::string QuoteString(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\0') {
      quoted += "\\0";
      continue;
    }
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted += '\'';
}

std::string QuoteIdentifier(std::string_view name) {
  std::string quoted = "`";
  for (const char c : name) {
    if (c == '`') quoted += '`';
    quoted += c;
  }
  return quoted += '`';
}

}  // namespace penstock::mysql
