#pragma once

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "ddl/tokenizer.h"
#include "model/table.h"

namespace penstock::ddl {

// Walks the tokens of one statement.
class Cursor {
 public:
  Cursor(std::span<const Token> tokens, std::string_view schema)
      : tokens_(tokens), schema_(schema) {}

  bool AtEnd() const { return position_ >= tokens_.size(); }
  const Token& Peek() const { return tokens_[position_]; }
  bool Accept(std::string_view keyword) {
    if (AtEnd() || !Peek().Is(keyword)) return false;
    ++position_;
    return true;
  }
  bool AcceptAny(std::initializer_list<std::string_view> keywords) {
    return std::any_of(keywords.begin(), keywords.end(),
                       [this](std::string_view keyword) { return Accept(keyword); });
  }
  bool AtSymbol(char c) const { return !AtEnd() && Peek().IsSymbol(c); }
  bool AcceptSymbol(char c) {
    if (!AtSymbol(c)) return false;
    ++position_;
    return true;
  }
  bool SkipIfExists() {
    if (!Accept("IF")) return false;
    Accept("NOT");
    return Accept("EXISTS");
  }
  std::optional<std::string> Name() {
    if (AtEnd() || (Peek().kind != Token::Kind::kWord && Peek().kind != Token::Kind::kIdentifier &&
                    Peek().kind != Token::Kind::kNumber)) {
      return std::nullopt;
    }
    return tokens_[position_++].text;
  }
  std::optional<model::TableName> Table() {
    auto first = Name();
    if (!first) return std::nullopt;
    if (!AcceptSymbol('.')) return model::TableName{std::string(schema_), std::move(*first)};
    auto second = Name();
    if (!second) return std::nullopt;
    return model::TableName{std::move(*first), std::move(*second)};
  }
  // A string literal, raw.
  std::optional<std::string> String() {
    if (AtEnd() || Peek().kind != Token::Kind::kString) return std::nullopt;
    return tokens_[position_++].text;
  }
  std::optional<std::string> Number() {
    if (AtEnd() || Peek().kind != Token::Kind::kNumber) return std::nullopt;
    return tokens_[position_++].text;
  }
  void Skip() {
    if (!AtEnd()) ++position_;
  }
  // What is in the brackets that begin here, if any do.
  void SkipBrackets() {
    if (!AtSymbol('(')) return;
    int depth = 0;
    do {
      if (AtSymbol('(')) ++depth;
      if (AtSymbol(')')) --depth;
      Skip();
    } while (depth != 0 && !AtEnd());
  }
  std::span<const Token> Rest() const { return tokens_.subspan(position_); }

 private:
  std::span<const Token> tokens_;
  std::string_view schema_;
  size_t position_ = 0;
};

}  // namespace penstock::ddl
