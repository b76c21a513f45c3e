#include "mysql/wire/column_type.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

namespace penstock::mysql {
namespace {

using model::Column;
using model::SqlType;

struct TypeWord {
  std::string_view word;
  SqlType type;
};

constexpr std::array kTypeWords = {
    TypeWord{"tinyint", SqlType::kTinyInt},
    TypeWord{"smallint", SqlType::kSmallInt},
    TypeWord{"mediumint", SqlType::kMediumInt},
    TypeWord{"int", SqlType::kInt},
    TypeWord{"bigint", SqlType::kBigInt},
    TypeWord{"decimal", SqlType::kDecimal},
    TypeWord{"float", SqlType::kFloat},
    TypeWord{"double", SqlType::kDouble},
    TypeWord{"bit", SqlType::kBit},
    TypeWord{"char", SqlType::kChar},
    TypeWord{"varchar", SqlType::kVarChar},
    TypeWord{"tinytext", SqlType::kText},
    TypeWord{"text", SqlType::kText},
    TypeWord{"mediumtext", SqlType::kText},
    TypeWord{"longtext", SqlType::kText},
    TypeWord{"binary", SqlType::kBinary},
    TypeWord{"varbinary", SqlType::kVarBinary},
    TypeWord{"tinyblob", SqlType::kBlob},
    TypeWord{"blob", SqlType::kBlob},
    TypeWord{"mediumblob", SqlType::kBlob},
    TypeWord{"longblob", SqlType::kBlob},
    TypeWord{"date", SqlType::kDate},
    TypeWord{"datetime", SqlType::kDateTime},
    TypeWord{"timestamp", SqlType::kTimestamp},
    TypeWord{"time", SqlType::kTime},
    TypeWord{"year", SqlType::kYear},
    TypeWord{"enum", SqlType::kEnum},
    TypeWord{"set", SqlType::kSet},
    TypeWord{"json", SqlType::kJson},
};

SqlType TypeOfWord(std::string_view word) {
  const auto* found = std::ranges::find(kTypeWords, word, &TypeWord::word);
  return found == kTypeWords.end() ? SqlType::kUnsupported : found->type;
}

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// Takes what it recognises from the front of the text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }
  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view TakeWord() {
    while (Take(' ')) {
    }
    const auto* end = std::ranges::find_if_not(rest_, IsWordCharacter);
    const std::string_view word = rest_.substr(0, static_cast<size_t>(end - rest_.begin()));
    rest_.remove_prefix(word.size());
    return word;
  }
  // What stands behind the temporal types of before MySQL 5.6.
  bool TakeOldFormat() {
    if (rest_ != " /* mariadb-5.3 */" && rest_ != " /* 5.5 binary format */") return false;
    rest_ = {};
    return true;
  }
  std::optional<uint32_t> TakeNumber() {
    uint32_t number = 0;
    const auto parsed = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (parsed.ec != std::errc()) return std::nullopt;
    rest_.remove_prefix(static_cast<size_t>(parsed.ptr - rest_.data()));
    return number;
  }
  // 'it''s', with the server's backslash escapes.
  std::optional<std::string> TakeQuoted() {
    if (!Take('\'')) return std::nullopt;
    std::string text;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '\'' && !Take('\'')) return text;
      if (c == '\\' && !rest_.empty()) {
        c = Unescape(rest_.front());
        rest_.remove_prefix(1);
      }
      text += c;
    }
    return std::nullopt;
  }

 private:
  static char Unescape(char c) {
    switch (c) {
      case '0':
        return '\0';
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

  std::string_view rest_;
};

bool TakeLabels(Scanner& scanner, Column& column) {
  if (!scanner.Take('(')) return false;
  do {
    std::optional<std::string> label = scanner.TakeQuoted();
    if (!label) return false;
    column.labels.push_back(std::move(*label));
  } while (scanner.Take(','));
  return scanner.Take(')');
}

// The numbers in brackets, at most two; empty without brackets.
std::optional<std::vector<uint32_t>> TakeNumbers(Scanner& scanner) {
  std::vector<uint32_t> numbers;
  if (!scanner.Take('(')) return numbers;
  do {
    const std::optional<uint32_t> number = scanner.TakeNumber();
    if (!number || numbers.size() == 2) return std::nullopt;
    numbers.push_back(*number);
  } while (scanner.Take(','));
  if (!scanner.Take(')')) return std::nullopt;
  return numbers;
}

void SetNumbers(const std::vector<uint32_t>& numbers, Column& column) {
  const uint32_t first = numbers.empty() ? 0 : numbers[0];
  switch (column.type) {
    case SqlType::kDecimal:
      column.precision = first;
      column.scale = numbers.size() > 1 ? numbers[1] : 0;
      break;
    case SqlType::kBit:
      column.precision = numbers.empty() ? 1 : first;
      break;
    case SqlType::kDateTime:
    case SqlType::kTimestamp:
    case SqlType::kTime:
      column.scale = first;
      break;
    case SqlType::kChar:
    case SqlType::kVarChar:
    case SqlType::kBinary:
    case SqlType::kVarBinary:
      column.length = first;
      break;
    default:  // display widths say nothing about values
      break;
  }
}

bool Parse(std::string_view text, Column& column) {
  Scanner scanner(text);
  column.type = TypeOfWord(scanner.TakeWord());
  if (column.type == SqlType::kUnsupported) return false;
  if (column.type == SqlType::kEnum || column.type == SqlType::kSet) {
    return TakeLabels(scanner, column) && scanner.AtEnd();
  }
  const std::optional<std::vector<uint32_t>> numbers = TakeNumbers(scanner);
  if (!numbers) return false;
  SetNumbers(*numbers, column);
  if (scanner.TakeOldFormat()) return column.scale == 0;
  while (!scanner.AtEnd()) {
    const std::string_view word = scanner.TakeWord();
    if (word != "unsigned" && word != "zerofill") return false;
    column.is_unsigned = true;
  }
  return true;
}

}  // namespace

void ParseColumnType(std::string_view text, Column& column) {
  Column parsed = column;
  parsed.type_text = text;
  if (Parse(text, parsed)) {
    column = std::move(parsed);
  } else {
    column.type = SqlType::kUnsupported;
    column.type_text = text;
  }
}

}  // namespace penstock::mysql
