#include "mysql/binlog/json_binary.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "base/byte_reader.h"
#include "mysql/binlog/decimal.h"
#include "mysql/binlog/event_type.h"
#include "mysql/binlog/temporal.h"

namespace penstock::binlog {
namespace {

template <typename Integer>
void AppendInteger(Integer number, std::string& text) {
  fmt::format_to(std::back_inserter(text), "{}", number);
}

// As the server prints doubles: the shortest digits that read back as the same number; written out
// if the point has at most 15 digits or some but not all digits before it, or at most 14 zeros
// after it, else with an exponent; a fraction or an exponent is always there.
void AppendDouble(double number, std::string& text) {
  constexpr int kPointMax = 15;
  constexpr int kPointMin = -14;
  std::array<char, 32> buffer;
  const auto printed = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                                     std::chars_format::scientific);
  char* first = buffer.data();
  if (*first == '-') text += *first++;
  const std::string_view rest(first, static_cast<size_t>(printed.ptr - first));
  const size_t exponent_at = rest.find('e');
  int exponent = 0;
  const std::string_view exponent_text =
      rest.substr(exponent_at + (rest[exponent_at + 1] == '+' ? 2 : 1));
  std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);
  const bool many = exponent_at > 1;
  if (many) std::swap(first[0], first[1]);  // the point goes before the digits
  const std::string_view digits = many ? rest.substr(1, exponent_at - 1) : rest.substr(0, 1);

  const int point = exponent + 1;  // digits before it
  const auto count = static_cast<int>(digits.size());
  if ((point > kPointMax && count <= point) || point < kPointMin) {
    text += digits[0];
    if (count > 1) text.append(".").append(digits, 1);
    text += 'e';
    AppendInteger(exponent, text);
  } else if (point <= 0) {
    text.append("0.").append(static_cast<size_t>(-point), '0').append(digits);
  } else if (count <= point) {
    text.append(digits).append(static_cast<size_t>(point - count), '0').append(".0");
  } else {
    const auto split = static_cast<size_t>(point);
    text.append(digits, 0, split).append(".").append(digits, split);
  }
}

void AppendQuoted(std::string_view plain, std::string& text) {
  text += '"';
  size_t copied = 0;
  for (size_t i = 0; i < plain.size(); ++i) {
    const char c = plain[i];
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
    text.append(plain, copied, i - copied);
    copied = i + 1;
    constexpr std::string_view kEscaped = "\b\t\n\f\r\"\\";
    constexpr std::string_view kLetters = "btnfr\"\\";
    const size_t letter = kEscaped.find(c);
    if (letter != std::string_view::npos) {
      text += '\\';
      text += kLetters[letter];
    } else {
      fmt::format_to(std::back_inserter(text), "\\u{:04x}", static_cast<unsigned>(c));
    }
  }
  text.append(plain, copied).append("\"");
}

// Lines of 76 characters; the break between them is escaped as everything else in a JSON string.
void AppendBase64(std::string_view bytes, std::string& text) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr size_t kLineBytes = 57;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    if (i > 0 && i % kLineBytes == 0) text += "\\n";
    const std::string_view group = bytes.substr(i, 3);
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (k < group.size() ? static_cast<uint8_t>(group[k]) : 0U);
    }
    for (size_t k = 0; k < 4; ++k) {
      text += k <= group.size() ? kAlphabet[bits >> (18 - 6 * k) & 63] : '=';
    }
  }
}

}  // namespace

void JsonPrinter::Value(const JsonValue& value, int depth) {
  switch (value.type) {
    case kSmallObject:
    case kLargeObject:
    case kSmallArray:
    case kLargeArray:
      return Container(value, depth + 1);
    case kString: {
      ByteReader reader(value.bytes);
      const std::string_view plain = Counted(reader);
      if (ok_) AppendQuoted(plain, text_);
      return;
    }
    case kOpaque:
      return Opaque(value.bytes);
    default:
      // What stands in an entry was counted with it.
      if (value.in_entry || Spend(1)) Scalar(value.type, value.bytes);
  }
}

void JsonPrinter::Key(std::string_view key) {
  if (!Spend(key.size())) return;
  AppendQuoted(key, text_);
  text_ += ": ";
}

void JsonPrinter::Members(const JsonContainer& container, size_t begin, size_t end, int depth) {
  for (size_t i = begin; i < end && ok_; ++i) {
    if (i > begin) text_ += ", ";
    if (container.is_object()) {
      const auto key = container.Key(i);
      if (!key) return Fail();
      Key(*key);
    }
    const auto member = container.Member(i);
    if (!member) return Fail();
    if (ok_) Value(*member, depth);
  }
}

bool JsonPrinter::Spend(uint64_t bytes) {
  if (bytes > unspent_) Fail();
  if (ok_) unspent_ -= bytes;
  return ok_;
}

// A length in groups of seven bits, lowest first, and as many bytes.
std::string_view JsonPrinter::Counted(ByteReader& reader) {
  uint64_t length = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    const uint8_t byte = reader.U8();
    length |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) {
      const std::string_view bytes =
          reader.Bytes(static_cast<size_t>(std::min<uint64_t>(length, reader.remaining() + 1)));
      if (!reader.ok() || !Spend(bytes.size() + 1)) break;
      return bytes;
    }
  }
  Fail();
  return {};
}

void JsonPrinter::Container(const JsonValue& value, int depth) {
  const auto container = JsonContainer::Open(value);
  if (!container || depth > kJsonDepthMax) return Fail();
  if (!Spend(container->entry_bytes())) return;
  text_ += container->is_object() ? '{' : '[';
  Members(*container, 0, container->size(), depth);
  text_ += container->is_object() ? '}' : ']';
}

void JsonPrinter::Scalar(uint8_t type, std::string_view bytes) {
  ByteReader reader(bytes);
  switch (type) {
    case kLiteral:
      Literal(reader.U8());
      break;
    case kInt16:
      AppendInteger(static_cast<int16_t>(reader.U16()), text_);
      break;
    case kUint16:
      AppendInteger(reader.U16(), text_);
      break;
    case kInt32:
      AppendInteger(static_cast<int32_t>(reader.U32()), text_);
      break;
    case kUint32:
      AppendInteger(reader.U32(), text_);
      break;
    case kInt64:
      AppendInteger(static_cast<int64_t>(reader.U64()), text_);
      break;
    case kUint64:
      AppendInteger(reader.U64(), text_);
      break;
    case kDouble:
      Double(reader.Raw<double>());
      break;
    default:
      Fail();
  }
  if (!reader.ok()) Fail();
}

void JsonPrinter::Literal(uint8_t literal) {
  constexpr std::array<std::string_view, 3> kLiterals = {"null", "true", "false"};
  if (literal >= kLiterals.size()) return Fail();
  text_ += kLiterals[literal];
}

void JsonPrinter::Double(double number) {
  if (number - number != 0) return Fail();  // JSON has no infinity and no NaN
  AppendDouble(number, text_);
}

// A column type of MySQL and its bytes.
void JsonPrinter::Opaque(std::string_view bytes) {
  ByteReader reader(bytes);
  const uint8_t type = reader.U8();
  const std::string_view data = Counted(reader);
  if (!ok_) return;
  switch (type) {
    case kNewDecimalColumn:
      return Decimal(data);
    case kDateColumn:
    case kOldDateTimeColumn:
    case kOldTimestampColumn:
    case kOldTimeColumn:
      return Temporal(type, data);
    default:
      fmt::format_to(std::back_inserter(text_), "\"base64:type{}:", type);
      AppendBase64(data, text_);
      text_ += '"';
  }
}

void JsonPrinter::Decimal(std::string_view data) {
  ByteReader reader(data);
  DecimalShape shape;
  shape.precision = reader.U8();
  shape.scale = reader.U8();
  if (!reader.ok() || !shape.valid_in_json()) return Fail();
  AppendDecimalText(reader, shape, text_);
  if (!reader.ok()) Fail();
}

void JsonPrinter::Temporal(uint8_t type, std::string_view data) {
  ByteReader reader(data);
  const auto packed = static_cast<int64_t>(reader.U64());
  if (!reader.ok()) return Fail();
  const bool negative = packed < 0;
  const auto magnitude =
      negative ? 0 - static_cast<uint64_t>(packed) : static_cast<uint64_t>(packed);
  const auto out = std::back_inserter(text_);
  const model::CivilTime time = UnpackDateTime(magnitude);
  if (type == kOldTimeColumn) {
    constexpr uint64_t kHourMask = 0x3ff;
    fmt::format_to(out, "\"{}{:02}:{:02}:{:02}.{:06}\"", negative ? "-" : "",
                   magnitude >> 36 & kHourMask, time.minute, time.second, time.microsecond);
    return;
  }
  fmt::format_to(out, "\"{:04}-{:02}-{:02}", time.year, time.month, time.day);
  if (type != kDateColumn) {
    fmt::format_to(out, " {:02}:{:02}:{:02}.{:06}", time.hour, time.minute, time.second,
                   time.microsecond);
  }
  text_ += '"';
}

Status AppendJsonText(std::string_view document, std::string& text) {
  JsonPrinter printer(document.size(), text);
  printer.Value(JsonRoot(document), 0);
  if (!printer.ok()) return Fail(ErrorCode::kBadData, "JSON document is malformed");
  return {};
}

}  // namespace penstock::binlog
