#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::ddl {

struct Token {
  enum class Kind : uint8_t {
    kWord,        // bare word: keyword or identifier
    kIdentifier,  // quoted identifier, unquoted here
    kString,      // string literal, raw between its quotes
    kNumber,
    kSymbol,  // one character
  };
  Kind kind;
  std::string text;

  // Whether it is this bare word; `keyword` in upper case.
  bool Is(std::string_view keyword) const;
  bool IsSymbol(char c) const { return kind == Kind::kSymbol && text[0] == c; }
};

// What of a statement's sql_mode decides where its tokens end.
struct SqlMode {
  bool ansi_quotes = false;       // "x" is an identifier
  bool backslash_escapes = true;  // in strings; off under NO_BACKSLASH_ESCAPES
};

// Splits a MySQL or MariaDB statement. Comments vanish, but the inside of executable ones
// (/*! */, /*M! */) counts. An unterminated quote or comment runs to the end.
// https://dev.mysql.com/doc/refman/8.4/en/comments.html
std::vector<Token> Tokenize(std::string_view sql, SqlMode mode);

}  // namespace penstock::ddl
