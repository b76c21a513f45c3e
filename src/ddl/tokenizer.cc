#include "ddl/tokenizer.h"

#include <algorithm>
#include <cctype>

namespace penstock::ddl {
namespace {

bool IsSpace(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordByte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

class Scanner {
 public:
  Scanner(std::string_view sql, SqlMode mode) : sql_(sql), mode_(mode) {}

  std::vector<Token> Run() {
    while (position_ < sql_.size()) Step();
    return std::move(tokens_);
  }

 private:
  char At(size_t offset) const {
    return position_ + offset < sql_.size() ? sql_[position_ + offset] : '\0';
  }

  void Step() {
    const char c = At(0);
    if (IsSpace(c)) {
      ++position_;
    } else if (c == '#' || (c == '-' && At(1) == '-' && (At(2) == '\0' || IsSpace(At(2))))) {
      SkipPast("\n");
    } else if (c == '/' && At(1) == '*') {
      Comment();
    } else if (in_executable_comment_ && c == '*' && At(1) == '/') {
      in_executable_comment_ = false;
      position_ += 2;
    } else if (c == '`' || (c == '"' && mode_.ansi_quotes)) {
      Quoted(Token::Kind::kIdentifier, c);
    } else if (c == '\'' || c == '"') {
      Quoted(Token::Kind::kString, c);
    } else if (IsWordByte(c)) {
      Word();
    } else {
      tokens_.push_back({Token::Kind::kSymbol, std::string(1, c)});
      ++position_;
    }
  }

  void SkipPast(std::string_view end) {
    const size_t found = sql_.find(end, position_);
    position_ = found == std::string_view::npos ? sql_.size() : found + end.size();
  }

  void Comment() {
    const bool mariadb = At(2) == 'M' && At(3) == '!';
    if (At(2) != '!' && !mariadb) {
      position_ += 2;
      SkipPast("*/");
      return;
    }
    position_ += mariadb ? 4 : 3;
    while (IsDigit(At(0))) ++position_;
    in_executable_comment_ = true;
  }

  // A doubled quote stands for itself; in strings a backslash takes the next byte with it.
  void Quoted(Token::Kind kind, char quote) {
    std::string text;
    ++position_;
    while (position_ < sql_.size()) {
      const char c = sql_[position_++];
      if (c == quote) {
        if (At(0) != quote) break;
        ++position_;
      } else if (c == '\\' && mode_.backslash_escapes && kind == Token::Kind::kString &&
                 position_ < sql_.size()) {
        text += c;
        text += sql_[position_++];
        continue;
      }
      text += c;
    }
    tokens_.push_back({kind, std::move(text)});
  }

  void Word() {
    const size_t start = position_;
    while (IsWordByte(At(0)) && position_ < sql_.size()) ++position_;
    const std::string_view word = sql_.substr(start, position_ - start);
    const bool number = std::all_of(word.begin(), word.end(), IsDigit);
    tokens_.push_back({number ? Token::Kind::kNumber : Token::Kind::kWord, std::string(word)});
  }

  std::string_view sql_;
  SqlMode mode_;
  size_t position_ = 0;
  bool in_executable_comment_ = false;
  std::vector<Token> tokens_;
};

}  // namespace

bool Token::Is(std::string_view keyword) const {
  return kind == Kind::kWord && text.size() == keyword.size() &&
         std::equal(text.begin(), text.end(), keyword.begin(), [](char a, char b) {
           return std::toupper(static_cast<unsigned char>(a)) == b;
         });
}

std::vector<Token> Tokenize(std::string_view sql, SqlMode mode) { return Scanner(sql, mode).Run(); }

}  // namespace penstock::ddl
