#include "mysql/binlog/json_path.h"

#include <charconv>
#include <optional>
#include <utility>

namespace penstock::binlog {
namespace {

// Bytes up to the quote that is not escaped; npos when there is none.
size_t FindQuote(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') return i;
    if (text[i] == '\\') ++i;
  }
  return std::string_view::npos;
}

// The character after "\u", of which the server writes only those below U+0020.
std::optional<char> ReadCodePoint(std::string_view digits) {
  constexpr size_t kDigits = 4;
  constexpr unsigned kAsciiMax = 0x7f;
  if (digits.size() < kDigits) return std::nullopt;
  unsigned code = 0;
  const char* end = digits.data() + kDigits;
  const auto parsed = std::from_chars(digits.data(), end, code, 16);
  if (parsed.ec != std::errc() || parsed.ptr != end || code > kAsciiMax) return std::nullopt;
  return static_cast<char>(code);
}

std::optional<std::string> Unescape(std::string_view text) {
  constexpr std::string_view kLetters = "btnfr\"\\/";
  constexpr std::string_view kMeanings = "\b\t\n\f\r\"\\/";
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      plain += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    if (text[i] == 'u') {
      const auto code = ReadCodePoint(text.substr(i + 1));
      if (!code) return std::nullopt;
      plain += *code;
      i += 4;
      continue;
    }
    const size_t letter = kLetters.find(text[i]);
    if (letter == std::string_view::npos) return std::nullopt;
    plain += kMeanings[letter];
  }
  return plain;
}

}  // namespace

JsonPathReader::JsonPathReader(std::string_view text) : rest_(text) {
  if (!Skip("$")) Fail();
}

JsonPathLeg JsonPathReader::Next(std::deque<std::string>& unescaped) {
  if (Skip(".")) return Key(unescaped);
  if (Skip("[")) return Index();
  return Fail();
}

JsonPathLeg JsonPathReader::Fail() {
  ok_ = false;
  rest_ = {};
  return {};
}

bool JsonPathReader::Skip(std::string_view text) {
  if (!rest_.starts_with(text)) return false;
  rest_.remove_prefix(text.size());
  return true;
}

JsonPathLeg JsonPathReader::Key(std::deque<std::string>& unescaped) {
  if (!Skip("\"")) {
    const std::string_view key = rest_.substr(0, rest_.find_first_of(".["));
    if (key.empty()) return Fail();
    rest_.remove_prefix(key.size());
    return {.is_key = true, .key = key};
  }
  const size_t length = FindQuote(rest_);
  if (length == std::string_view::npos) return Fail();
  const std::string_view quoted = rest_.substr(0, length);
  rest_.remove_prefix(length + 1);
  if (quoted.find('\\') == std::string_view::npos) return {.is_key = true, .key = quoted};
  auto plain = Unescape(quoted);
  if (!plain) return Fail();
  return {.is_key = true, .key = unescaped.emplace_back(*std::move(plain))};
}

JsonPathLeg JsonPathReader::Index() {
  JsonPathLeg leg;
  leg.from_end = Skip("last");
  if (!leg.from_end || Skip("-")) {
    const auto parsed = std::from_chars(rest_.data(), rest_.data() + rest_.size(), leg.index);
    if (parsed.ec != std::errc()) return Fail();
    rest_.remove_prefix(static_cast<size_t>(parsed.ptr - rest_.data()));
  }
  return Skip("]") ? leg : Fail();
}

}  // namespace penstock::binlog
