#include "ddl/added_column.h"

#include <algorithm>

namespace penstock::ddl {
namespace {

using model::ColumnDefault;

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

char Unescaped(char c) {
  switch (c) {
    case '0':
      return '\0';
    case 'b':
      return '\b';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'Z':
      return '\x1a';
    default:
      return c;
  }
}

// https://dev.mysql.com/doc/refman/8.4/en/string-literals.html
std::string Unescape(std::string_view raw, SqlMode mode) {
  std::string text;
  for (size_t i = 0; i < raw.size(); ++i) {
    if (!mode.backslash_escapes || raw[i] != '\\' || i + 1 == raw.size()) {
      text += raw[i];
      continue;
    }
    ++i;
    if (raw[i] == '%' || raw[i] == '_') text += '\\';
    text += Unescaped(raw[i]);
  }
  return text;
}

// Reads one column. Stops where something is not known.
class ColumnReader {
 public:
  ColumnReader(Cursor& cursor, SqlMode mode) : cursor_(cursor), mode_(mode) {}

  AddedColumn Read() {
    auto name = cursor_.Name();
    if (name) column_.name = *name;
    if (!name || !ReadType()) return Unclear();
    while (!AtEnd()) {
      if (!ReadAttribute()) return Unclear();
    }
    return std::move(column_);
  }

 private:
  bool AtEnd() const { return cursor_.AtEnd() || cursor_.AtSymbol(',') || cursor_.AtSymbol(')'); }

  AddedColumn Unclear() {
    column_.unclear = cursor_.AtEnd() ? "" : cursor_.Peek().text;
    return std::move(column_);
  }

  bool ReadType() {
    if (AtEnd() || cursor_.Peek().kind != Token::Kind::kWord) return false;
    column_.type = Lower(*cursor_.Name());
    const auto and_then = [&](std::string_view word) {
      if (cursor_.Accept(word)) column_.type += " " + Lower(std::string(word));
    };
    if (column_.type == "double") and_then("PRECISION");
    if (column_.type == "char" || column_.type == "character") and_then("VARYING");
    if (!cursor_.AcceptSymbol('(')) return true;
    do {
      auto argument = cursor_.Number();
      if (!argument) {
        argument = cursor_.String();
        if (argument) argument = Unescape(*argument, mode_);
      }
      if (!argument) return false;
      column_.arguments.push_back(*std::move(argument));
    } while (cursor_.AcceptSymbol(','));
    return cursor_.AcceptSymbol(')');
  }

  // A name after an optional '='.
  bool ReadName(std::string& name) {
    cursor_.AcceptSymbol('=');
    auto found = cursor_.Name();
    if (!found) found = cursor_.String();
    if (!found) return false;
    name = Lower(*std::move(found));
    return true;
  }

  bool ReadAttribute() {
    if (cursor_.Accept("UNSIGNED")) return column_.is_unsigned = true;
    if (cursor_.AcceptAny({"SIGNED", "VISIBLE", "INVISIBLE"})) return true;
    if (cursor_.Accept("CHARSET")) return ReadName(column_.charset);
    if (cursor_.Accept("CHARACTER")) return cursor_.Accept("SET") && ReadName(column_.charset);
    if (cursor_.Accept("COLLATE")) return ReadName(column_.collation);
    if (cursor_.Accept("NOT")) {
      column_.nullable = false;
      return cursor_.Accept("NULL");
    }
    if (cursor_.Accept("NULL")) {
      column_.nullable = true;
      return true;
    }
    if (cursor_.Accept("DEFAULT")) return ReadDefault();
    if (cursor_.Accept("ON")) return ReadOnUpdate();
    if (cursor_.Accept("COMMENT")) return cursor_.String().has_value();
    if (cursor_.Accept("UNIQUE")) {
      cursor_.Accept("KEY");
      return true;
    }
    if (cursor_.AcceptAny({"COLUMN_FORMAT", "STORAGE"})) return cursor_.Name().has_value();
    if (cursor_.Accept("SRID")) return cursor_.Number().has_value();
    if (cursor_.Accept("CHECK")) {
      cursor_.SkipBrackets();
      return true;
    }
    if (cursor_.Accept("FIRST")) return column_.first = true;
    if (!cursor_.Accept("AFTER")) return false;
    auto after = cursor_.Name();
    if (after) column_.after = *after;
    return after.has_value();
  }

  // What it does to a row is in the log.
  bool ReadOnUpdate() {
    const bool known = cursor_.Accept("UPDATE") && cursor_.AcceptAny({"CURRENT_TIMESTAMP", "NOW"});
    cursor_.SkipBrackets();
    return known;
  }

  // A literal, perhaps in brackets.
  bool ReadDefault() {
    int brackets = 0;
    while (cursor_.AcceptSymbol('(')) ++brackets;
    if (!ReadLiteral()) return false;
    while (brackets > 0 && cursor_.AcceptSymbol(')')) --brackets;
    const bool goes_on = !cursor_.AtEnd() && cursor_.Peek().kind != Token::Kind::kWord && !AtEnd();
    return brackets == 0 && !goes_on;
  }

  bool ReadLiteral() {
    ColumnDefault& value = column_.default_value;
    const auto set = [&](ColumnDefault::Kind kind, std::string text) {
      value = {.kind = kind, .text = std::move(text)};
      return true;
    };
    if (cursor_.Accept("NULL")) return set(ColumnDefault::Kind::kNull, "");
    if (cursor_.Accept("TRUE")) return set(ColumnDefault::Kind::kNumber, "1");
    if (cursor_.Accept("FALSE")) return set(ColumnDefault::Kind::kNumber, "0");
    if (const auto text = cursor_.String()) {
      return set(ColumnDefault::Kind::kText, Unescape(*text, mode_));
    }
    std::string number = cursor_.AcceptSymbol('-') ? "-" : "";
    const auto whole = cursor_.Number();
    if (!whole) return false;
    number += *whole;
    if (cursor_.AcceptSymbol('.')) number += "." + cursor_.Number().value_or("");
    return set(ColumnDefault::Kind::kNumber, std::move(number));
  }

  Cursor& cursor_;
  const SqlMode mode_;
  AddedColumn column_;
};

}  // namespace

std::vector<AddedColumn> ParseAddedColumns(Cursor& cursor, SqlMode mode) {
  cursor.Accept("COLUMN");
  const bool unless_there = cursor.SkipIfExists();
  const bool is_list = cursor.AcceptSymbol('(');
  std::vector<AddedColumn> columns;
  do {
    columns.push_back(ColumnReader(cursor, mode).Read());
    columns.back().unless_there = unless_there;
  } while (is_list && !columns.back().unclear && cursor.AcceptSymbol(','));
  if (columns.back().unclear) return columns;
  if ((is_list && !cursor.AcceptSymbol(')')) || !cursor.AtEnd()) {
    columns.back().unclear = cursor.AtEnd() ? "" : cursor.Peek().text;
  }
  return columns;
}

}  // namespace penstock::ddl
